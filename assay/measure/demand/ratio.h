// A ratio of two means over the same units.
#pragma once

#include <span>
#include <string>

#include "assay/stats/interval.h"

namespace assay::demand {

/// Fieller (1954): all ratios r that a paired t-test of first − r · second = 0 keeps.
struct MeanRatio {
  /// NaN where the mean of `second` is 0; an interval of NaN where it is not bounded.
  Estimate estimate;
  std::string note;  // why there is no interval, "> x" where the data give a lower end; or empty
};

/// second: units of a loss that cannot be negative. `what` names it in notes. Throws Error
/// stats.size if lengths differ or are below 2.
MeanRatio ratio_of_means(std::span<const double> first, std::span<const double> second,
                         const std::string& what, double coverage = 0.95);

}  // namespace assay::demand
