// The table behind `assay drivers`: a row for each objective, columns named by the caller.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "assay/law/drivers/driver_point.h"
#include "assay/law/table/table.h"

namespace assay {

struct DriverColumns {
  std::string outcome, outcome_error;               // outcome_error: empty = no errors
  std::vector<std::string> drivers, driver_errors;  // driver_errors: empty, or one for each driver
  /// Empty = the first column with a common name for objectives or runs ("objective", "preset",
  /// "run", …), else rows are called by their line.
  std::string objective;
  std::vector<std::string> where;  // conditions (filter.h)
};

struct DriverTable {
  std::vector<DriverPoint> points;
  std::string objective_column;  // empty = none
  int64_t rows_read = 0;
  std::vector<LeftOut> left_out;
};

/// Throws Error usage.arguments (as many columns of driver errors as of drivers), data.number,
/// data.missing_value, data.sign (a standard error below zero), data.duplicate (an objective in two
/// rows: they are not independent), data.no_rows, and what TableFile, find_column and RowCondition
/// throw.
DriverTable read_driver_table(const std::filesystem::path& path, const DriverColumns& columns);

}  // namespace assay
