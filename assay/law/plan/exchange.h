// The best sweep for its cost: whole runs exchanged on a grid of candidates.
#pragma once

#include <limits>

#include "assay/law/plan/precision.h"

namespace assay {

struct ExchangeLimits {
  double seconds = std::numeric_limits<double>::infinity();  // of one worker, all runs together
  int most_runs = 60;
  int most_seeds = 3;    // at one point
  int least_points = 9;  // different ones, and
  int least_runs = 16;   // so many that residuals can show whether the form is right
  bool thorough = true;  // also give up each expensive run for several cheap ones
};

struct ExchangedSweep {
  Sweep sweep;
  /// Least possible over achieved Σ of the contrasts' variances (D: determinant^(1/p)), from below:
  /// no sweep on these candidates within these limits does better than by this factor.
  double efficiency = 0;
};

/// Fedorov's exchange (1972) under a cost: from several starts, runs are added where the criterion
/// gains most, then swapped one for one while that gains, within the limits. contrasts
/// [parameters × m] (DesignModel::contrasts): minimises the sum of their variances (c-optimal for
/// one, A-optimal for several); empty: maximises the determinant of the information (D-optimal).
/// Both criteria are concave and homogeneous in the runs, so their gradient bounds what any other
/// sweep could reach (the equivalence theorem of Kiefer and Wolfowitz 1960, with limits).
/// `start`: a sweep of candidates that is tried as a start as well. Deterministic. Throws Error
/// plan.budget where no sweep within the limits identifies the parameters.
ExchangedSweep exchange_sweep(const DesignModel& model, const Sweep& candidates,
                              const Eigen::MatrixXd& contrasts, const RunCost& cost,
                              const ExchangeLimits& limits, const Sweep& start = {});

}  // namespace assay
