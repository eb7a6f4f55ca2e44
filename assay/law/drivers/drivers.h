// Do drivers predict what an objective achieves? Regression over objectives, judged by leaving
// objectives out and by chance, with the power that so many objectives have.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "assay/law/drivers/correlation_power.h"
#include "assay/law/drivers/errors_in_variables.h"

namespace assay {

struct LeftOutObjective {
  double predicted = 0;  // by the regression on the other objectives
  double mean = 0;       // outcome of the other objectives
};

struct PowerAt {
  double correlation = 0;  // true |r|, without measuring error
  double power = 0;        // of the two-sided 5% test with these objectives
  int64_t needed = 0;      // objectives for 80%; 0 = measuring errors leave nothing to see
};

enum class DriverVerdict { refused, inconclusive, predicts, not_seen };
std::string_view verdict_name(DriverVerdict verdict);  // "refused", …

struct DriverAnalysis {
  ErrorsInVariables law;
  std::vector<LawLimits> slope_limits;     // [drivers] 95%
  double measured_correlation = 0;         // of the columns as they are; several drivers: R
  double outcome_reliability = 1;          // 1 − mean error²/variance, at least 0
  std::vector<double> driver_reliability;  // [drivers]
  std::vector<LeftOutObjective> left_out;  // [objectives]
  double error = 0, mean_error = 0;        // root mean square over left-out objectives
  PermutationTest permutation;
  std::vector<PowerAt> power;    // at |r| = .9, .8, .7, .6, .5
  double least_correlation = 1;  // true |r| with a power of 80%; 1 = none
  DriverVerdict verdict = DriverVerdict::refused;
  std::string sentence;  // the verdict in words
  std::vector<std::string> warnings;
};

/// Objectives with which even |r| = .9 is seen with a power of 80%, and |r| = .7: below the first
/// nothing is concluded, below the second not that there is nothing.
constexpr int64_t kFewestObjectives = 7, kObjectivesForNothing = 14;

/// The regression (errors_in_variables.h), leave-one-out predictions beside the mean of the others,
/// a permutation test, and power. True correlations are attenuated by √(reliability) of outcome and
/// drivers before their power is told; a second driver costs one objective.
///
/// "predicts" needs p < .05 and a smaller leave-one-out error than the mean's; "not_seen", p >= .05
/// with a power of 80% for |r| = .7.
///
/// Throws Error law.drivers for fewer than 3 objectives, or fewer than 7 for each of two drivers;
/// data.sign for a standard error below zero; data.constant.
DriverAnalysis analyse_drivers(std::span<const DriverPoint> points, Seed seed = Seed(1));

/// {"verdict", "sentence", "objectives": [{"name", "outcome", "predicted", "mean_of_others"}],
/// "slopes", "slope_intervals", "intercept", "scatter", "correlation", "measured_correlation",
/// "reliability", "leave_one_out": {"rmse", "rmse_of_mean"}, "p_value", "orders", "exact", "power",
/// "least_correlation", "warnings"}; an open end of an interval is null.
nlohmann::json to_json(const DriverAnalysis& analysis, std::span<const DriverPoint> points);

}  // namespace assay
