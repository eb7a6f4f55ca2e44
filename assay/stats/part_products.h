// How the gradients of parts (bands, noise levels) stand to each other and to the whole.
#pragma once

#include <vector>

#include "assay/stats/interval.h"

namespace assay {

/// Of K parts whose gradients add up to the whole, in one group and metric. Index K is the whole.
struct PartProducts {
  int64_t parts = 0;                // K
  std::vector<Estimate> signal;     // [(K + 1) × (K + 1)] ⟨G_k, G_l⟩; row K adds up the others
  std::vector<Estimate> alignment;  // [(K + 1) × (K + 1)] ⟨G_k, G_l⟩ / (|G_k| |G_l|)
  /// [(K + 1) × (K + 1)] tr Cov(g_k, g_l) of unit means times examples_per_unit: the noise of one
  /// example averaged over the draws it was given. Off the diagonal it is what keeps the variances
  /// of parts from adding up to that of the whole.
  std::vector<Estimate> noise;
  /// Where the parts are K strata of equal probability (noise levels) and so g_k = G_k/K + …: the
  /// variance of one example at a random level is within + between, K Σ_k noise_kk and
  /// K Σ_k |G_k|² − |G|². Without a meaning for bands.
  Estimate within, between;

  size_t at(int64_t k, int64_t l) const { return static_cast<size_t>(k * (parts + 1) + l); }
};

/// gram: [(m·K) × (m·K)] ⟨g_uk, g_vl⟩, row u·K + k for part k of unit u.
///
/// Products of different units only, Σ_{u≠v} ⟨g_uk, g_vl⟩/(m (m − 1)): noise that two parts share
/// (the same examples and draws) is in no product of two units, so that ⟨G_k, G_l⟩ is unbiased
/// where the cosine of mean gradients tends to that of their noise. 95% intervals by deleting one
/// unit, Student t; near zero signal they are wide, because the jackknife counts the degenerate
/// part of a U-statistic twice. An alignment is given only where neither interval of |G_k|² and
/// |G_l|² includes 0, and NaN elsewhere; it is not clamped, and exactly 1 on the diagonal.
///
/// Throws Error stats.too_few_units below 5 units, stats.size if gram is not square in m·K.
PartProducts part_products(const std::vector<double>& gram, int64_t units, int64_t parts,
                           int64_t examples_per_unit);

}  // namespace assay
