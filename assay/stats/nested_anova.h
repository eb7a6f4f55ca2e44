// Signal, data variance and objective variance of a gradient from microbatches with repeated draws.
#pragma once

#include <optional>
#include <vector>

#include "assay/stats/gram.h"
#include "assay/stats/interval.h"

namespace assay {

/// m units of b examples, each backpropagated with r draws on the same examples, in one group and
/// metric. With q >= 2 patterns a draw is a level (noise level, mask rate) that is kept while q
/// patterns (noise, mask) are drawn for it.
struct NestedUnits {
  int64_t examples_per_unit = 1;  // b
  int64_t draws = 2;              // r
  CentredGram means;              // of the unit means over all draws ḡ_u
  std::vector<double> within;     // [m] W_u = Σ_j |ḡ_uj − ḡ_u|², of draws or level means
  int64_t patterns = 1;           // q
  std::vector<double> within_level = {};  // [m] V_u = Σ_jk |g_ujk − ḡ_uj|²; empty unless q >= 2
  /// N, if the m·b distinct examples were drawn without replacement from N which are all there are:
  /// G, tr Σ_data (divisor N) and the intervals are then about these N, with the factor 1 − mb/N.
  std::optional<int64_t> population = std::nullopt;
  /// Each unit merges k units of b/k examples (noise_accumulator.h): B_u = Σ_c |ḡ_uc − ḡ_u|² of
  /// their means. m merged units alone know tr Σ_data only to √(2/(m·d_eff)), whatever b is.
  int64_t blocks = 1;                       // k
  std::vector<double> between_blocks = {};  // [m]; empty unless k >= 2
};

/// tr Σ_objective in two: from levels (of the mean gradient at a level), and from patterns at one.
struct LevelSplit {
  Estimate trace_level, trace_pattern;
  Estimate level_share;  // tr Σ_level / tr Σ_total
};

/// Model: gradient of example i under draw j = G + A_i + E_ij, tr Σ = tr Σ_data + tr Σ_objective,
/// all per example, in squared units of the gradient. Nothing is clamped: a negative |G|² or tr
/// Σ_data is an unresolved one. All intervals are 95%: of `signal` and `snr_per_example` by test
/// inversion (signal_interval.h; their standard_error is the jackknife's less the degenerate part
/// that it counts twice), of the others by deleting one unit, Student t with m − 1 degrees.
///
/// With one draw (r = 1) each example is seen once: the cheapest way to |G|² and tr Σ_total,
/// because r draws cost r passes and take only tr Σ_objective down, (r tr Σ_data + tr
/// Σ_objective)/cost; the split into data and objective is then NaN.
///
/// Known to fail: below units_advised units; where |g|² is heavy-tailed (categorical losses), the
/// traces need many units; where G lies in directions with far less noise than others and is not
/// resolved, the interval holds but can be several times as wide as need be.
struct NoiseEstimate {
  Estimate signal;               // |G|²
  Estimate trace_data;           // tr Σ_data: between examples
  Estimate trace_objective;      // tr Σ_objective: between draws of one example
  Estimate trace_total;          // their sum
  Estimate objective_share;      // tr Σ_objective / tr Σ_total
  Estimate snr_per_example;      // |G|² / tr Σ_total
  Estimate effective_dimension;  // (tr Σ_u)² / tr Σ_u² of a unit mean's covariance; negative =
                                 // unresolved
  std::optional<LevelSplit> levels;  // with q >= 2 patterns of a level
  int64_t units_advised = 0;         // more units than these gave an honest interval; 0 = enough
};

/// Unbiased for |G|² and the traces for any distribution; ratios are ratios of unbiased estimates.
/// Throws Error stats.too_few_units below m = 5 (the effective dimension of m − 1 units needs 4),
/// stats.population if the units hold more examples than there are.
NoiseEstimate estimate_noise(const NestedUnits& units);

/// The units are the whole population, one example each, and the draws all draws of each: the
/// population's own values (divisors m, r and q), intervals of width 0. Throws Error
/// stats.exhaustive unless b = 1.
NoiseEstimate exact_noise(const NestedUnits& units);

/// P(|G|² estimated at least this large | G = 0), one-sided, of m >= 5 units.
double zero_signal_p_value(const CentredGram& units);

}  // namespace assay
