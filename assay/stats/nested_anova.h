// Signal, data variance and objective variance of a gradient from microbatches with repeated draws.
#pragma once

#include <vector>

#include "assay/stats/gram.h"
#include "assay/stats/interval.h"

namespace assay {

/// m units of b examples, each backpropagated with r draws on the same examples, in one group and
/// metric.
struct NestedUnits {
  int64_t examples_per_unit = 1;  // b
  int64_t draws = 2;              // r
  CentredGram means;              // of the unit means over draws ḡ_u
  std::vector<double> within;     // [m] W_u = Σ_j |g_uj − ḡ_u|²
};

/// Model: gradient of example i under draw j = G + A_i + E_ij, tr Σ = tr Σ_data + tr Σ_objective,
/// all per example, in squared units of the gradient. Nothing is clamped: a negative |G|² or tr
/// Σ_data is an unresolved one. All intervals are 95%, by deleting one unit, Student t with m − 1
/// degrees.
///
/// Known to fail: where the effective dimension is small (below about 200; .885 at 2.5), |G|² is a
/// skewed mixture of χ² and the symmetric intervals of `signal` and `snr_per_example` miss on one
/// side; where |g|² is heavy-tailed (categorical losses), the traces need many units.
struct NoiseEstimate {
  Estimate signal;               // |G|²
  Estimate trace_data;           // tr Σ_data: between examples
  Estimate trace_objective;      // tr Σ_objective: between draws of one example
  Estimate trace_total;          // their sum
  Estimate objective_share;      // tr Σ_objective / tr Σ_total
  Estimate snr_per_example;      // |G|² / tr Σ_total
  Estimate effective_dimension;  // (tr Σ_u)² / tr Σ_u² of a unit mean's covariance; negative =
                                 // unresolved
};

/// Unbiased for |G|² and the traces for any distribution; ratios are ratios of unbiased estimates.
/// Throws Error stats.too_few_units below m = 5 (the effective dimension of m − 1 units needs 4).
NoiseEstimate estimate_noise(const NestedUnits& units);

/// The units are the whole population, one example each, and the draws all draws of each: the
/// population's own values (divisors m and r), intervals of width 0. Throws Error stats.exhaustive
/// unless b = 1.
NoiseEstimate exact_noise(const NestedUnits& units);

}  // namespace assay
