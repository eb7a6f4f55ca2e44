// What a fit reads of a table: centred logarithms of the columns that a form needs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assay/law/forms/form.h"
#include "assay/law/table/observation.h"

namespace assay {

/// Rows to be fitted, in units in which log columns and log losses average to zero (unique data
/// shares the unit of data). Every vector is padded to a multiple of kLawLanes with rows of weight
/// zero.
struct FitRows {
  std::array<std::vector<double>, kLawAxes> log_column;  // of the axes that the form needs
  std::vector<double> log_loss;
  std::vector<double> weight;   // 1, or how often a resample has the row
  std::vector<double> highest;  // residual above which it counts as this: 0 of an upper bound
  /// [count] Rows of one run share a number, from 0 on, and rows without a run that agree to every
  /// digit: one that was pasted twice.
  std::vector<int64_t> cluster;
  std::vector<std::size_t> source;  // [count] index among the observations
  std::size_t count = 0;            // without padding
  int64_t clusters = 0;
  int64_t measured_clusters = 0;  // with a row that is no upper bound
  int64_t upper_bounds = 0;       // among count
  int64_t diverged = 0;           // left out
  LawUnits units;

  LawRows rows() const;
  bool is_bound(std::size_t i) const { return highest[i] == 0; }
  int64_t measured() const { return static_cast<int64_t>(count) - upper_bounds; }
};

/// Leaves out diverged rows. Throws Error law.column where a needed column or a loss is unknown,
/// zero, negative or infinite, naming the line.
FitRows fit_rows(std::span<const Observation> observations, const Form& form);

double value_on(const Observation& observation, LawAxis axis);

/// L̂ at one point, parameters in the units of the table.
double predict(const Form& form, std::span<const double> parameters, const Observation& point);

}  // namespace assay
