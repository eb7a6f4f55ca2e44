// From what is wanted to a sweep: `assay plan`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assay/law/plan/exchange.h"
#include "assay/law/plan/layouts.h"

namespace assay {

enum class SweepKind { grid, isoflop, optimal };

/// Nothing given: the layout's default is evaluated. A target: the cheapest sweep that reaches it.
struct SweepTarget {
  std::string of = "exponents";  // DesignModel::contrasts; of several the worst
  std::optional<double> standard_error = {};
  std::optional<double> half_width = {};  // of a 95% interval
  bool given() const { return standard_error || half_width; }
  bool reached(const SweepPrecision& precision) const;
};

struct SweepRequest {
  SweepKind kind = SweepKind::grid;
  LawGuess guess;
  SweepRegion region;
  SizeRounding rounding;
  double sigma = 0.005;  // of log loss, between seeds
  RunCost cost;
  SweepTarget target;
  std::optional<double> hours;  // on all workers
  GridLayout grid;
  IsoflopLayout isoflop;
  int levels = 9;             // candidates of each column
  ExchangeLimits exchange;    // seconds come from `hours`
  bool determinant = false;   // D-optimal, instead of optimal for the exponents of the target
  bool layout_given = false;  // a search for the target varies the seeds alone
};

/// What a change would buy.
struct SweepLever {
  std::string change;
  double standard_error = 0;
  double compute = 0;  // times that of the sweep; NaN where it costs no runs
  double hours = 0;    // on all workers; NaN likewise
};

struct SweepPlan {
  Sweep sweep;
  SweepPrecision precision;
  double flops = 0, hours = 0;
  bool reached = true;  // the target, or none was given
  bool affordable = true;
  /// Of optimal sweeps: no other on the candidates is better by more than this factor.
  std::optional<double> efficiency_bound;
  /// Variance of the default grid over this sweep's, if both cost the same.
  std::optional<double> grid_efficiency;
  std::vector<SweepLever> levers;  // at the sweep found
  std::vector<SweepLever>
      remedies;       // where the target is not reached, or not within the hours: what would
  std::string limit;  // a sentence: what limits the target's exponent
};

/// Target search: grids of 4 × 4 to 8 × 8, 4 to 8 slices of 3 to 5 sizes, with the given seeds or
/// up to 3 more, and for optimal sweeps the least cost by bisection; the cheapest is taken. Throws
/// the Errors of the parts (precision.h, layouts.h, exchange.h) and plan.target for a target that
/// is not positive.
SweepPlan plan_sweep(const SweepRequest& request);

}  // namespace assay
