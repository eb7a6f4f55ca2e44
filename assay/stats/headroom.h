// What averaging several draws of an objective per example can gain.
#pragma once

#include <cstdint>

#include "assay/stats/interval.h"

namespace assay {

/// Factor (A + E)/(A + E/r) by which averaging r draws per example raises the SNR, A = tr Σ_data,
/// E = tr Σ_objective; r may be infinite, which gives the limit (A + E)/A. It increases with the
/// objective's share E/(A + E) alone, so that its interval is the image of the share's
/// (`share` = NoiseEstimate::objective_share): infinite where the share may be 1. At equal numbers
/// of gradients averaging cannot win; it does where draws share a pass. Throws Error stats.draws
/// below 1.
Estimate headroom(const Estimate& share, double draws);

/// Costs of one example: `once` whatever the draws (decoding, an encoder that all draws share), and
/// `each` per draw.
struct DrawCost {
  double once = 0, each = 1;
};

/// r* = √((once/each) E/A), where SNR per cost is largest (Cochran 1977, section 10.6); not
/// rounded, below 1 where one draw is best. Its interval is the image of the share's. Throws Error
/// stats.cost unless once >= 0 and each > 0.
Estimate best_draws(const Estimate& share, const DrawCost& cost);

/// SNR per cost with r draws over that with one: (A + E)(once + each)/((A + E/r)(once + r each)).
double gain_of_draws(double share, const DrawCost& cost, double draws);
/// The whole number of draws with the largest gain, at least 1; 1 for a share that is not in (0,
/// 1).
int64_t best_whole_draws(double share, const DrawCost& cost);

}  // namespace assay
