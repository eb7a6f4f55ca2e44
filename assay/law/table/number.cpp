// from_chars first: it is fast, and what it takes whole needs no second look.
#include "assay/law/table/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <system_error>

namespace assay {
namespace {

constexpr std::string_view kDigits = "0123456789";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The whole text as a number; nothing if some of it is left.
std::optional<ParsedNumber> whole_number(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) return {};
  }
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty()) return {};
  if (code == std::errc::result_out_of_range) return ParsedNumber{value, NumberFault::range};
  if (code != std::errc{}) return {};
  return ParsedNumber{value, std::isfinite(value) ? NumberFault::none : NumberFault::not_finite};
}

bool missing(std::string_view cell) {
  constexpr std::array<std::string_view, 7> words{"", "na", "n/a", "#n/a", "null", "none", "-"};
  return std::ranges::find(words, lower_case(cell)) != words.end();
}

// The factor of a scale letter as people write it behind a number.
std::optional<int> scale_exponent(char letter) {
  switch (lower(letter)) {
    case 'k':
      return 3;
    case 'm':
      return 6;
    case 'b':
    case 'g':
      return 9;
    case 't':
      return 12;
    default:
      return {};
  }
}

bool number_before(std::string_view cell, size_t characters_behind) {
  std::string_view head = cell.substr(0, cell.size() - characters_behind);
  while (head.ends_with(' ')) head.remove_suffix(1);
  const auto number = whole_number(head);
  return number && number->fault == NumberFault::none;
}

NumberFault fault_with_comma(std::string_view cell, DecimalMark mark, ParsedNumber& parsed) {
  const bool digits_alone = cell.find_first_not_of("0123456789.,+-eE") == cell.npos &&
                            cell.find_first_of(kDigits) != cell.npos;
  if (!digits_alone) return NumberFault::text;
  const bool several = std::ranges::count(cell, ',') > 1 || cell.find('.') != cell.npos;
  if (several) return NumberFault::grouped;
  if (mark == DecimalMark::point) return NumberFault::comma;
  std::string pointed(cell);
  std::ranges::replace(pointed, ',', '.');
  const auto number = whole_number(pointed);
  if (!number) return NumberFault::text;
  parsed.value = number->value;
  return number->fault;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

ParsedNumber parse_number(std::string_view cell, DecimalMark mark) {
  while (cell.starts_with(' ')) cell.remove_prefix(1);  // blanks inside quotes
  while (cell.ends_with(' ')) cell.remove_suffix(1);
  if (const auto number = whole_number(cell)) return *number;
  ParsedNumber parsed{0, NumberFault::text};
  if (missing(cell)) {
    parsed.fault = NumberFault::missing;
  } else if (cell.find(',') != cell.npos) {
    parsed.fault = fault_with_comma(cell, mark, parsed);
  } else if (cell.ends_with('%') && number_before(cell, 1)) {
    parsed.fault = NumberFault::percent;
  } else if (scale_exponent(cell.back()) && number_before(cell, 1)) {
    parsed.fault = NumberFault::suffix;
  } else if (cell.find_first_of("_' ") != cell.npos &&
             cell.find_first_not_of("0123456789.+-eE_' ") == cell.npos &&
             kDigits.find(cell.front()) != kDigits.npos) {
    parsed.fault = NumberFault::grouped;
  }
  return parsed;
}

FaultText describe(NumberFault fault, std::string_view cell) {
  switch (fault) {
    case NumberFault::none:
      return {};
    case NumberFault::missing:
      return {"is missing", "fill it in, or leave the row out"};
    case NumberFault::not_finite:
      return {"is not a finite number", "leave the row out"};
    case NumberFault::range:
      return {"is beyond the range of numbers", "check its exponent"};
    case NumberFault::grouped:
      return {"has thousands separators", "write digits alone, as 1000000 or 1e6"};
    case NumberFault::comma:
      return {
          "has a comma in it",
          "write a decimal point, or separate the cells by semicolons; no thousands separators"};
    case NumberFault::percent:
      return {"is a percentage", "write a fraction, as 0.035 for 3.5%"};
    case NumberFault::suffix: {
      const std::string_view number = cell.substr(0, cell.find_last_of("0123456789.") + 1);
      const double value =
          whole_number(number)->value * std::pow(10, scale_exponent(cell.back()).value_or(0));
      return {"has a scale behind it", fmt::format("write {:.12g}", value)};
    }
    case NumberFault::text:
      return {"is not a number", "write a number, as 0.25 or 1e9"};
  }
  return {};
}

}  // namespace assay
