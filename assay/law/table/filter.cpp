// The grammar is one comparison: several conditions are several options.
#include "assay/law/table/filter.h"

#include <fmt/format.h>

#include <utility>

#include "assay/law/table/columns.h"

namespace assay {
namespace {

Error wrong_condition(const std::string& expression, const std::string& reason,
                      const std::string& help) {
  return Error("usage.where", fmt::format("--where {}: {}", in_backticks(expression), reason),
               help);
}

bool in_quotes(std::string_view text) {
  return text.size() >= 2 && text.front() == text.back() &&
         (text.front() == '"' || text.front() == '\'' || text.front() == '`');
}

std::string_view unquoted(std::string_view text) {
  return in_quotes(text) ? text.substr(1, text.size() - 2) : text;
}

// The first < > = ! that does not stand in quotes.
size_t operator_position(std::string_view text) {
  const char opening = text.empty() ? '\0' : text.front();
  const bool quoted_column = opening == '"' || opening == '\'' || opening == '`';
  const size_t closing = quoted_column ? text.find(opening, 1) : 0;
  return text.find_first_of("<>=!", closing == text.npos ? 0 : closing);
}

}  // namespace

RowCondition::RowCondition(const TableFile& file, const std::string& expression)
    : expression_(expression), mark_(decimal_mark(file.separator())) {
  const std::string example = "write COLUMN OP VALUE, as 'loss < 4' or 'status != failed'";
  const std::string_view text = trimmed(expression_);
  const size_t at = operator_position(text);
  if (at == text.npos) throw wrong_condition(expression, "no comparison in it", example);
  const bool two = at + 1 < text.size() && text[at + 1] == '=';
  switch (text[at]) {
    case '<':
      comparison_ = two ? Comparison::at_most : Comparison::less;
      break;
    case '>':
      comparison_ = two ? Comparison::at_least : Comparison::greater;
      break;
    case '!':
      comparison_ = Comparison::different;
      break;
    default:
      comparison_ = Comparison::equal;
  }
  if (!two && (text[at] == '=' || text[at] == '!'))
    throw wrong_condition(expression, fmt::format("`{}` is no comparison", text[at]),
                          "compare with ==, !=, <, <=, > or >=");
  const std::string_view column = trimmed(text.substr(0, at));
  const std::string_view value = trimmed(text.substr(at + (two ? 2 : 1)));
  if (column.empty() || value.empty())
    throw wrong_condition(expression, column.empty() ? "no column in it" : "no value in it",
                          example);
  text_ = unquoted(value);
  if (const ParsedNumber parsed = parse_number(value, DecimalMark::point);
      parsed.fault == NumberFault::none)
    number_ = parsed.value;
  if (!number_ && comparison_ != Comparison::equal && comparison_ != Comparison::different)
    throw wrong_condition(expression, fmt::format("{} is not a number", in_backticks(value)),
                          "compare text by == or !=; give --where once for each condition");
  column_ = find_column(file, std::string(unquoted(column)), "--where " + in_backticks(expression));
}

bool RowCondition::compare(double number) const {
  switch (comparison_) {
    case Comparison::less:
      return number < *number_;
    case Comparison::at_most:
      return number <= *number_;
    case Comparison::greater:
      return number > *number_;
    case Comparison::at_least:
      return number >= *number_;
    case Comparison::equal:
      return number == *number_;
    case Comparison::different:
      return number != *number_;
  }
  return false;
}

bool RowCondition::holds(const TableFile& file, const TableRow& row) const {
  const std::string_view cell = row.cells[column_];
  const bool by_identity = comparison_ == Comparison::equal || comparison_ == Comparison::different;
  if (!number_) return (cell == text_) == (comparison_ == Comparison::equal);
  const ParsedNumber parsed = parse_number(cell, mark_);
  if (parsed.fault == NumberFault::none) return compare(parsed.value);
  if (parsed.fault == NumberFault::missing || parsed.fault == NumberFault::not_finite) return false;
  if (by_identity) return comparison_ == Comparison::different;
  const FaultText fault = describe(parsed.fault, cell);
  throw file.error("data.number",
                   fmt::format("--where {}: {} {}", in_backticks(expression_), in_backticks(cell),
                               fault.message),
                   fault.help, row, column_);
}

RowFilter::RowFilter(const TableFile& file, const std::vector<std::string>& expressions)
    : file_(file) {
  for (const std::string& expression : expressions) {
    conditions_.emplace_back(file, expression);
    left_out_.push_back({expression, 0});
  }
}

bool RowFilter::keeps(const TableRow& row) {
  for (size_t i = 0; i < conditions_.size(); ++i)
    if (!conditions_[i].holds(file_, row)) {
      ++left_out_[i].rows;
      return false;
    }
  return true;
}

}  // namespace assay
