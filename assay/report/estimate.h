// A number with its interval, and how seeds make one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/report/study_records.h"

namespace assay::report {

/// One trial's value.
struct Replicate {
  std::string trial{};
  int64_t seed = 0;
  bool counts = true;  // false: of a trial that diverged or failed; shown, not averaged
  double value = kMissing;
  std::optional<double> low{}, high{};
  int64_t n = 0;  // independent units behind the value
  std::string note{};
};

struct Estimate {
  double value = kMissing;
  std::optional<double> low{}, high{};  // 95%
  int64_t seeds = 0;                    // trials behind the mean
  int64_t n = 0;                        // units per trial, the smallest
  /// seeds: Student t over seeds | meter: the meter's own | bootstrap: runs resampled | student:
  /// t over runs | none
  std::string interval = "none";
  std::string note{};  // why a value is missing

  bool known() const;
  bool bounded() const { return low.has_value() && high.has_value(); }
  /// The interval lies above (below) x. Without an interval never.
  bool above(double x) const { return bounded() && *low > x; }
  bool below(double x) const { return bounded() && *high < x; }
};

/// Mean over trials that count and have a value. Two or more: mean ± t(.975, k − 1)·s/√k over
/// seeds, but never narrower than the meters' own intervals make the mean, because a few seeds
/// agree by luck; one: that trial's own interval, which knows nothing of what another seed would
/// give.
Estimate over_seeds(std::span<const Replicate> replicates);

/// Both have intervals, and these do not touch.
bool separated(const Estimate& a, const Estimate& b);

}  // namespace assay::report
