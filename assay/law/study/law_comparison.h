// Do the laws of two objectives differ, and how small a difference could the design have shown?
#pragma once

#include <span>
#include <string>
#include <vector>

#include "assay/law/fitted/fitted_law.h"
#include "assay/law/study/local_slopes.h"

namespace assay {

/// Of one quantity of two laws: "E", "alpha", "beta", "loss_exponent" (Allocation), or of two
/// groups' rows: "slope of N", "slope of D" (LocalSlopes).
struct LawDifference {
  std::string first, second;  // groups
  std::string quantity;
  double value = 0;  // first minus second
  LawLimits limits;  // for all pairs of laws together 95% (Bonferroni)
  double standard_error = 0;
  /// The smallest true difference that a test at two-sided level .05, of this pair alone, finds
  /// with 80% power: t.975 + t.80 standard errors, of the degrees of freedom of the smaller side.
  double detectable = 0;
  bool distinguished = false;  // the limits exclude 0
};

/// All pairs of the laws that are identifiable and have resamples and the quantity. Resamples of
/// two laws are paired at random, as if their noise were independent: with common seeds and data
/// order the true error is rather smaller. Of laws of one quantity:
/// those of different losses do not compare.
std::vector<LawDifference> compare_laws(std::span<const FittedLaw> laws);

struct NamedSlopes {
  std::string group;
  LocalSlopes slopes;
};
/// All pairs; errors taken as independent and normal, Student's t for the smaller of both degrees.
std::vector<LawDifference> compare_slopes(std::span<const NamedSlopes> groups);

}  // namespace assay
