#include "assay/law/drivers/driver_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "assay/law/table/cell_reader.h"
#include "assay/law/table/file.h"
#include "assay/law/table/filter.h"

namespace assay {
namespace {

std::optional<size_t> objective_column(const TableFile& file, const std::string& given) {
  if (!given.empty()) return find_column(file, given, "--objective-column");
  for (const ColumnRole role : {ColumnRole::group, ColumnRole::run})
    for (size_t column = 0; column < file.header().size(); ++column)
      if (const auto found = recognise(file.header()[column]); found && found->role == role)
        return column;
  return {};
}

class PointReader {
 public:
  PointReader(const TableFile& file, const DriverColumns& columns)
      : file_(file), cells_(file), objective_(objective_column(file, columns.objective)) {
    outcome_ = find_column(file, columns.outcome, "--outcome");
    if (!columns.outcome_error.empty())
      outcome_error_ = find_column(file, columns.outcome_error, "--outcome-se");
    for (const std::string& name : columns.drivers)
      drivers_.push_back(find_column(file, name, "--driver"));
    for (size_t j = 0; j < drivers_.size(); ++j)
      if (drivers_[j] == outcome_ ||
          std::find(drivers_.begin(), drivers_.begin() + j, drivers_[j]) != drivers_.begin() + j)
        throw Error("usage.arguments",
                    fmt::format("column {} is named twice as outcome or driver: it predicts itself",
                                in_backticks(file.header()[drivers_[j]])),
                    "name columns that were measured apart from each other");
    for (const std::string& name : columns.driver_errors)
      driver_errors_.push_back(find_column(file, name, "--driver-se"));
  }

  std::string objective_name() const { return objective_ ? file_.header()[*objective_] : ""; }

  DriverPoint read(const TableRow& row) {
    DriverPoint point;
    point.line = row.line;
    point.objective = objective_ ? std::string(row.cells[*objective_]) : "";
    if (point.objective.empty()) point.objective = fmt::format("line {}", row.line);
    const auto [earlier, fresh] = lines_.emplace(point.objective, row.line);
    if (!fresh)
      throw file_.error(
          "data.duplicate",
          fmt::format("{} stands in lines {} and {}: rows of one objective are not independent",
                      in_backticks(point.objective), earlier->second, row.line),
          "keep one row for each objective, such as a mean with its standard error, or name "
          "another column with --objective-column",
          row, *objective_);
    point.outcome = number(row, outcome_);
    point.outcome_error = outcome_error_ ? error(row, *outcome_error_) : 0;
    for (const size_t column : drivers_) point.drivers.push_back(number(row, column));
    point.driver_errors.assign(drivers_.size(), 0.0);
    for (size_t j = 0; j < driver_errors_.size(); ++j)
      point.driver_errors[j] = error(row, driver_errors_[j]);
    return point;
  }

 private:
  double number(const TableRow& row, size_t column) {
    const std::string_view cell = row.cells[column];
    const ParsedNumber parsed = cells_.read(row, column);
    if (parsed.fault == NumberFault::none) return parsed.value;
    const FaultText fault = describe(parsed.fault, cell);
    throw file_.error(
        parsed.fault == NumberFault::missing ? "data.missing_value" : "data.number",
        fmt::format("{} {} (column {})", cell.empty() ? "the cell" : in_backticks(cell),
                    fault.message, in_backticks(file_.header()[column])),
        fault.help, row, column);
  }
  double error(const TableRow& row, size_t column) {
    const double value = number(row, column);
    if (value >= 0) return value;
    throw file_.error(
        "data.sign",
        fmt::format("a standard error of {} (column {})", in_backticks(row.cells[column]),
                    in_backticks(file_.header()[column])),
        "standard errors are zero or above; name another column", row, column);
  }

  const TableFile& file_;
  CellReader cells_;
  std::optional<size_t> objective_, outcome_error_;
  size_t outcome_ = 0;
  std::vector<size_t> drivers_, driver_errors_;
  std::map<std::string, int64_t> lines_;  // by objective
};

}  // namespace

DriverTable read_driver_table(const std::filesystem::path& path, const DriverColumns& columns) {
  if (!columns.driver_errors.empty() && columns.driver_errors.size() != columns.drivers.size())
    throw Error(
        "usage.arguments",
        fmt::format("{} --driver-se for {} --driver", columns.driver_errors.size(),
                    columns.drivers.size()),
        "give a column of standard errors for every driver, in the same order, or for none");
  const TableFile file(path);
  PointReader reader(file, columns);
  RowFilter filter(file, columns.where);
  DriverTable table;
  table.objective_column = reader.objective_name();
  file.for_each_row([&](const TableRow& row) {
    ++table.rows_read;
    if (filter.keeps(row)) table.points.push_back(reader.read(row));
  });
  table.left_out = filter.left_out();
  if (table.points.empty())
    throw Error("data.no_rows", "no rows to compare objectives by",
                table.rows_read > 0 ? "loosen --where" : "add a row for each objective",
                whole_file(path));
  return table;
}

}  // namespace assay
