// Do the laws of two objectives differ, and how small a difference could the design have shown?
#pragma once

#include <span>
#include <string>
#include <vector>

#include "assay/law/fitted_law.h"

namespace assay {

/// Of one quantity of two laws: "E", "alpha", "beta", or "loss_exponent" (Allocation).
struct LawDifference {
  std::string first, second;  // groups
  std::string quantity;
  double value = 0;  // first minus second
  LawLimits limits;  // for all pairs of laws together 95% (Bonferroni)
  double standard_error = 0;
  /// The smallest true difference that a test at two-sided level .05, of this pair alone, finds
  /// with 80% power: (1.960 + .842) standard errors.
  double detectable = 0;
  bool distinguished = false;  // the limits exclude 0
};

/// All pairs of the laws that are identifiable and have resamples and the quantity. Resamples of
/// two laws are paired at random, as if their noise were independent: with common seeds and data
/// order the true error is rather smaller. E only where `same_unit`: floors of different losses
/// are different things.
std::vector<LawDifference> compare_laws(std::span<const FittedLaw> laws, bool same_unit);

}  // namespace assay
