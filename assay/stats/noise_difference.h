// Two objectives, or two sets of weights, on the same examples and draws: is one noisier?
#pragma once

#include "assay/stats/nested_anova.h"

namespace assay {

/// First less second. What the two have in common (an easy unit, a lucky draw) cancels, so that the
/// intervals are those of the difference and not of two independent values.
struct NoiseDifference {
  Estimate signal;           // |G|²: only of gradients in the same units
  Estimate trace_total;      // tr Σ: likewise
  Estimate snr_per_example;  // of any two
  Estimate objective_share;
};

/// Unit u of both must be the same examples under the same draws (the same seed and plan); the two
/// gradients may be of different sizes. 95% intervals by deleting the same unit from both. Of
/// signal and SNR the degenerate part of the difference, Σ_ij (a_i·a_j/T_a − b_i·b_j/T_b) over
/// pairs i ≠ j, is counted once and with the skewness of its eigenvalues, as in signal_interval.h;
/// the rest is taken for normal. Throws Error stats.pairs if designs differ, and as
/// estimate_noise().
NoiseDifference noise_difference(const NestedUnits& first, const NestedUnits& second);

}  // namespace assay
