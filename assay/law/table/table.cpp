// One pass over the file: a row is filtered, read, checked and kept, or an error points at its
// cell.
#include "assay/law/table/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "assay/law/table/cell_reader.h"
#include "assay/law/table/checks.h"
#include "assay/law/table/file.h"
#include "assay/law/table/filter.h"
#include "assay/law/table/run_status.h"

namespace assay {
namespace {

class RowReader {
 public:
  RowReader(const TableFile& file, const TableColumns& columns, TableRows& table)
      : file_(file), columns_(columns), table_(table), cells_(file) {}

  void read(const TableRow& row);
  void warn() const;

 private:
  RunStatus status(const TableRow& row) const;
  bool read_loss(const TableRow& row, RunStatus status, Observation& out);
  double size(const TableRow& row, ColumnRole role, bool required);
  std::string joined(const TableRow& row, ColumnRole role) const;
  Error refusal(const std::string& code, const TableRow& row, ColumnRole role,
                const FaultText& fault) const;

  const TableFile& file_;
  const TableColumns& columns_;
  TableRows& table_;
  CellReader cells_;
  std::vector<int64_t> not_finite_, diverged_, failed_;  // lines
};

RunStatus RowReader::status(const TableRow& row) const {
  const ServingColumn* column = columns_.one(ColumnRole::status);
  if (!column) return RunStatus::completed;
  const std::string_view cell = row.cells[column->index];
  const bool flag = plain_name(file_.header()[column->index]) == "diverged";
  if (const auto found = run_status(cell, flag)) return *found;
  throw file_.error("data.status", fmt::format("{} is no status of a run", in_backticks(cell)),
                    suggest(lower_case(cell), status_words()), row, column->index);
}

Error RowReader::refusal(const std::string& code, const TableRow& row, ColumnRole role,
                         const FaultText& fault) const {
  const size_t column = columns_.one(role)->index;
  const std::string& header = file_.header()[column];
  const std::string cell = row.cells[column].empty() ? "the cell" : in_backticks(row.cells[column]);
  return file_.error(
      code,
      fmt::format("{} {} (column {}, read as {})", cell, fault.message, in_backticks(header),
                  names_of(role).name),
      fmt::format("{}; or name another column with {}", fault.help, names_of(role).option), row,
      column);
}

// False if the run diverged by its loss alone.
bool RowReader::read_loss(const TableRow& row, RunStatus status, Observation& out) {
  const size_t column = columns_.one(ColumnRole::loss)->index;
  const ParsedNumber loss = cells_.read(row, column);
  if (loss.fault == NumberFault::not_finite) return false;
  if (status == RunStatus::diverged) {
    if (loss.fault == NumberFault::none && loss.value > 0) out.loss = loss.value;
    return true;
  }
  const std::string leave_out =
      fmt::format("leave it out with --where '{} > 0'", file_.header()[column]);
  if (loss.fault == NumberFault::missing)
    throw refusal("data.missing_value", row, ColumnRole::loss,
                  {"holds no loss", "write nan if the run diverged, or " + leave_out});
  if (loss.fault != NumberFault::none)
    throw refusal("data.number", row, ColumnRole::loss, describe(loss.fault, row.cells[column]));
  if (!(loss.value > 0))
    throw refusal("data.sign", row, ColumnRole::loss,
                  {"is not above zero, and laws are fitted to log loss", leave_out});
  out.loss = loss.value;
  return true;
}

// N, D, C or U. Of a diverged row it may be missing.
double RowReader::size(const TableRow& row, ColumnRole role, bool required) {
  const ServingColumn* column = columns_.one(role);
  if (!column) return Observation::kUnknown;
  const std::string_view cell = row.cells[column->index];
  const ParsedNumber parsed = cells_.read(row, column->index);
  if (parsed.fault == NumberFault::missing && !required) return Observation::kUnknown;
  if (parsed.fault != NumberFault::none)
    throw refusal(parsed.fault == NumberFault::missing ? "data.missing_value" : "data.number", row,
                  role, describe(parsed.fault, cell));
  if (!(parsed.value > 0))
    throw refusal("data.sign", row, role,
                  {"is not above zero", fmt::format("leave the row out with --where '{} > 0'",
                                                    file_.header()[column->index])});
  return parsed.value * column->scale;
}

std::string RowReader::joined(const TableRow& row, ColumnRole role) const {
  std::string out;
  bool any = false;
  for (const ServingColumn& column : columns_[role]) {
    const std::string_view cell = row.cells[column.index];
    if (&column != &columns_[role].front()) out += " / ";
    out += cell;
    any |= !cell.empty();
  }
  return any ? out : std::string();
}

void RowReader::read(const TableRow& row) {
  RunStatus outcome = status(row);
  if (outcome == RunStatus::failed) {
    ++table_.failed;
    failed_.push_back(row.line);
    return;
  }
  Observation out;
  if (!read_loss(row, outcome, out)) {
    if (outcome != RunStatus::diverged) not_finite_.push_back(row.line);
    outcome = RunStatus::diverged;
  } else if (outcome == RunStatus::diverged) {
    diverged_.push_back(row.line);
  }
  const bool required = outcome != RunStatus::diverged;
  out.model_size = size(row, ColumnRole::model_size, required);
  out.compute = size(row, ColumnRole::compute, required);
  out.data_size = size(row, ColumnRole::data_size, required);
  if (table_.data_from_compute) out.data_size = out.compute / (6 * out.model_size);
  if (table_.size_from_compute) out.model_size = out.compute / (6 * out.data_size);
  out.unique_data = size(row, ColumnRole::unique_data, required);
  out.run = joined(row, ColumnRole::run);
  out.group = joined(row, ColumnRole::group);
  if (out.group.empty() && !columns_[ColumnRole::group].empty())
    throw refusal("data.missing_value", row, ColumnRole::group,
                  {"names no group", "give every row its group"});
  out.loss_unit = lower_case(joined(row, ColumnRole::unit));
  out.line = row.line;
  if (outcome == RunStatus::diverged) out.status = ObservationStatus::diverged;
  if (outcome == RunStatus::unfinished) out.status = ObservationStatus::upper_bound;
  table_.diverged += out.status == ObservationStatus::diverged;
  table_.upper_bounds += out.status == ObservationStatus::upper_bound;
  table_.rows.push_back(std::move(out));
}

void RowReader::warn() const {
  const auto add = [&](const char* code, const std::vector<int64_t>& lines, const char* what) {
    if (lines.empty()) return;
    const auto total = static_cast<int64_t>(lines.size());
    const std::vector<int64_t> first(lines.begin(), lines.begin() + std::min<int64_t>(total, 100));
    table_.warnings.push_back(
        {code,
         fmt::format("{} ({}): {}", total == 1 ? "1 row" : fmt::format("{} rows", total),
                     describe_lines(lines, total), what),
         first});
  };
  add("not_finite", not_finite_, "the loss is not finite: counted as diverged, not fitted");
  add("diverged", diverged_, "diverged: counted, not fitted");
  add("failed", failed_, "failed: counted, left out");
  if (const auto line = cells_.comma_line())
    table_.warnings.push_back(
        {"decimal_comma",
         fmt::format("commas in numbers are read as decimal marks (line {})", *line),
         {*line}});
}

// --flops-column alone stands for D = C/(6 N), whatever else the header holds; C and D without N
// for N = C/(6 D).
void choose_data(const TableFile& file, const ColumnNames& given, TableColumns& columns,
                 TableRows& table) {
  const auto data = static_cast<size_t>(ColumnRole::data_size);
  if (!columns.one(ColumnRole::compute)) return;
  table.size_from_compute =
      !columns.one(ColumnRole::model_size) && columns.one(ColumnRole::data_size);
  if (!columns.one(ColumnRole::model_size)) return;
  const bool asked =
      !given[static_cast<size_t>(ColumnRole::compute)].empty() && given[data].empty();
  if (const ServingColumn* unasked = columns.one(ColumnRole::data_size); asked && unasked) {
    table.warnings.push_back({"data_column_unused",
                              fmt::format("column {} is not used: D = C/(6 N) from --flops-column; "
                                          "give --d-column too to use both",
                                          in_backticks(file.header()[unasked->index])),
                              {}});
    columns.unused.push_back(unasked->index);
    std::ranges::sort(columns.unused);
    columns.of_role[data].clear();
  }
  table.data_from_compute = columns[ColumnRole::data_size].empty();
}

void record_columns(const TableFile& file, const TableColumns& columns, const TableOptions& options,
                    TableRows& table) {
  for (size_t role = 0; role < kColumnRoles; ++role)
    for (const ServingColumn& column : columns.of_role[role])
      table.columns.push_back(
          {std::string(roles()[role].name), file.header()[column.index], column.scale});
  for (const size_t column : columns.unused) table.unused_columns.push_back(file.header()[column]);
  const auto header_of = [&](ColumnRole role) {
    const ServingColumn* column = columns.one(role);
    return column ? lower_case(file.header()[column->index]) : std::string();
  };
  if (!options.model_size_definition.empty())
    table.model_size_definition = options.model_size_definition;
  else if (const std::string sizes = header_of(ColumnRole::model_size);
           sizes.find("non") != sizes.npos && sizes.find("emb") != sizes.npos)
    table.model_size_definition = "without embeddings";
  const std::string& detail = columns.one(ColumnRole::loss)->detail;
  if (!options.loss_unit.empty())
    table.loss_unit = options.loss_unit;
  else if (!detail.empty())
    table.loss_unit = detail;
  for (const char* unit : {"tokens", "examples", "samples", "images"})
    if (header_of(ColumnRole::data_size).find(unit) != std::string::npos) table.data_unit = unit;
}

[[noreturn]] void refuse_empty(const std::filesystem::path& path, const TableRows& table) {
  if (table.rows_read == 0)
    throw Error("data.no_rows", fmt::format("{} has a header and no rows", path.string()),
                "give one row for each measured loss", whole_file(path));
  std::string counts;
  for (const LeftOut& left_out : table.left_out)
    counts += fmt::format("; {} by {}", left_out.rows, in_backticks(left_out.expression));
  if (table.failed > 0) counts += fmt::format("; {} failed", table.failed);
  throw Error(
      "data.no_rows", fmt::format("no row of {} is left{}", table.rows_read, counts),
      table.left_out.empty() ? "give a row that was measured" : "loosen the conditions of --where",
      whole_file(path));
}

}  // namespace

TableRows read_table(const std::filesystem::path& path, const TableOptions& options) {
  TableRows table;
  {
    const TableFile file(path);
    TableColumns columns = find_columns(file, options.columns);
    choose_data(file, options.columns, columns, table);
    record_columns(file, columns, options, table);
    RowFilter filter(file, options.where);
    RowReader reader(file, columns, table);
    file.for_each_row([&](const TableRow& row) {
      ++table.rows_read;
      if (filter.keeps(row)) reader.read(row);
    });
    table.left_out = filter.left_out();
    reader.warn();
  }  // the text is not kept
  if (table.rows.empty()) refuse_empty(path, table);
  settle_loss_unit(path, table);
  check_rows(path, table);
  return table;
}

}  // namespace assay
