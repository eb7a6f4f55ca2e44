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

struct IdentifiabilityLimits {
  double least_decades = 0.5;       // of each column
  double least_off_line = 0.1;      // decades, deviation of log D from a line in log N
  double greatest_condition = 1e8;  // of the scaled information
  /// Where the profile of E reaches zero, an exponent whose 95% profile interval is wider than this
  /// part of its value trades off against E.
  double greatest_width = 0.5;
};

/// Judges: the fit's convergence; different values and decades of each column; points on a single
/// line of N and D, where exponents differ only by curvature; conditioning; exponents that trade
/// off against the floor.
Identifiability identifiability(const LawProblem& problem, const LawFit& fit,
                                const IdentifiabilityLimits& limits = {});

}  // namespace assay
