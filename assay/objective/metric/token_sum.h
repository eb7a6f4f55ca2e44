// Losses of tokens to losses of examples.
#pragma once

#include "assay/objective/registry.h"

namespace assay {

/// per_token [B, n] (times weight [B, n], if defined) to one unresolved band; each token holds
/// `targets` scalar targets.
BandLoss token_sum(const Tensor& per_token, const Tensor& weight, double targets);

}  // namespace assay
