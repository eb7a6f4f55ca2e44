// Signal and spread of a few displacements from one start.
#pragma once

#include <span>

#include "assay/stats/interval.h"

namespace assay {

struct DisplacementEstimate {
  Estimate signal;  // |E d|², mean of d_r·d_s over r ≠ s: unbiased, may be negative
  Estimate spread;  // tr Cov d, unbiased
  Estimate snr;     // their ratio: a ratio of unbiased estimates
};

/// gram [rows × rows] of the displacements d_r. Intervals: Student t over a delete-one jackknife,
/// absent (NaN) below 3 rows, and wide for a handful. Throws Error stats.size below 2 rows.
DisplacementEstimate displacement_noise(std::span<const double> gram, int64_t rows);

}  // namespace assay
