// From a start to the neighbourhood of a minimum, along the long curved valleys of laws whose terms
// can stand in for each other.
#pragma once

#include "assay/law/fit/law_objective.h"

namespace assay {

struct DescentOptions {
  int most_iterations = 200;
  /// Stop after three successive iterations that lower the sum by less than this part of it.
  double least_fall = 1e-7;
  /// Bit j: parameter j is held at its start value.
  unsigned held = 0;
};

struct Descended {
  LawVector parameters;
  double objective = 0;
};

/// Levenberg and Marquardt's steps on iteratively reweighted least squares, within the bounds.
/// After each step the coefficients are solved again for the exponents it arrived at (variable
/// projection as simplified by Kaufman 1975), so that a valley along which both change is
/// followed by steps in the exponents alone.
Descended descend(LawObjective& objective, const LawVector& start,
                  const DescentOptions& options = {});

}  // namespace assay
