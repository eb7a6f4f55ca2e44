// What a regression of outcomes on drivers is made of: a row for each objective.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace assay {

/// One objective: its outcome and its drivers as measured, and the standard errors of these
/// measurements, which are independent of each other. Errors may be zero.
struct DriverPoint {
  std::string objective;
  double outcome = 0, outcome_error = 0;
  std::vector<double> drivers, driver_errors;  // of one size for all points
  int64_t line = 0;                            // of the table it came from; 0 = none
};

}  // namespace assay
