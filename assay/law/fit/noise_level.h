// How noisy log losses are: from seed replicates where there are any, else from the residuals.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assay/law/table/observation.h"

namespace assay {

struct ReplicateNoise {
  double sigma = 0;  // pooled standard deviation of log loss at the same design point
  /// Of sigma: Σ (runs at a point − 1), but of runs that meet at several points, as checkpoints
  /// do, at most one fewer than there are. 0 = no replicates.
  int64_t degrees = 0;
};

/// Runs that share every column and the group, and are not the same run. Rows of one run at one
/// point count once, and so do rows without a run whose losses agree to every digit: more likely
/// one run that stands there twice. Only measured rows.
ReplicateNoise replicate_noise(std::span<const Observation> observations);

/// 1.4826 median |r| √(n/(n − p)) over residuals: the deviation of normal noise, half of which may
/// be outliers. 0 where n <= p.
double median_deviation(std::span<const double> residuals, std::size_t parameters);

/// Faults that replicates give away, one sentence each: identical rows (a run counted twice), and
/// losses at one design point that differ by the factor ln 2 (bits beside nats).
std::vector<std::string> replicate_faults(std::span<const Observation> observations);

}  // namespace assay
