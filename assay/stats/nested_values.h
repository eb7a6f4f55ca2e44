// Sums and values behind the nested analysis of variance: what estimates and differences share.
#pragma once

#include <array>

#include "assay/stats/nested_anova.h"
#include "assay/stats/signal_interval.h"

namespace assay::nested {

/// All that the estimators need of m units.
struct Sums {
  double m = 0;
  double mean_squared = 0;  // |ḡ|²
  double trace = 0;         // Σ |d_i|²
  double squares = 0;       // Σ_ij (d_i·d_j)²
  double quartic = 0;       // Σ |d_i|⁴
  double within = 0;        // mean of W_u
  double patterns = 0;      // mean of V_u
  double blocks = 0;        // Σ B_u / k: of the units that were merged, in squares of merged means
};

enum Quantity {
  signal,
  data,
  objective,
  total,
  share,
  snr,
  dimension,
  level,
  pattern,
  level_share,
  quantities
};
using Values = std::array<double, quantities>;

/// Unbiased for tr Σ_u² and (tr Σ_u)²; needs m >= 4.
struct TraceSquares {
  double of_square, squared;
};
TraceSquares trace_squares(const Sums& s);

struct Design {
  double b, r, q;     // examples per unit, draws or levels, patterns of a level
  double fraction;    // n/N
  double population;  // (N − 1)/N: from the unbiased divisor to the population's own
  double blocks;      // k
};

/// Throws Error stats.size where the parts disagree on m, stats.population.
void require_consistent(const NestedUnits& units);
Design design_of(const NestedUnits& units);
Sums sums_of(const NestedUnits& units);
/// Without unit k, in O(m).
Sums sums_without(const NestedUnits& units, const Sums& all, size_t k);
Values values_of(const Sums& s, const Design& d);

/// Share of the covariance of ḡ that a sample of a finite population has.
double shrink_of(const Sums& s, const Values& v, const Design& d);
SignalSample sample_of(const NestedUnits& units, const Sums& s, const Values& v, const Design& d);

/// Every quantity without each unit in turn.
using WithoutOne = std::array<std::vector<double>, quantities>;
WithoutOne without_one(const NestedUnits& units, const Sums& all, const Design& design);

}  // namespace assay::nested
