// Which exponents a design can tell apart at all, and what would identify the others.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assay/law/intervals/profile.h"

namespace assay {

/// The exponent of A x^-c, a summary that most designs can give.
struct PowerSlope {
  LawAxis axis;
  double exponent = 0;
  LawLimits limits;  // 95%, by profile
};

struct Identifiability {
  /// False: exponents are not to be reported one by one.
  bool identifiable = true;
  std::vector<std::string> reasons;   // what is wrong with the design or the fit
  std::vector<std::string> remedies;  // beside each reason, what would identify them
  std::optional<PowerSlope> slope;    // where not identifiable: along the column of widest range
};

/// Of the scaled information: beyond it parameters are confounded.
constexpr double kGreatestCondition = 1e8;

/// Judges: the fit's convergence; different values and decades of each column among the measured
/// rows; their points on a single line of N and D, where exponents differ only by curvature; runs
/// fewer than parameters, where a row is a checkpoint and N varies between runs alone;
/// conditioning; exponents at a bound of their range, or whose 95% profile reaches it; exponents
/// that trade off against the floor.
Identifiability identifiability(const LawProblem& problem, const LawFit& fit);

/// What is wrong with a design, whatever was fitted to it: the same without the fit's part.
Identifiability design_faults(const LawProblem& problem);

}  // namespace assay
