// How a teacher's logits become a distribution over prototypes.
#pragma once

#include "assay/tensor/torch.h"

namespace assay {

/// softmax((logits - centre)/temperature) by row; centre [K], undefined = 0. [B, K]
Tensor centred_distribution(const Tensor& logits, const Tensor& centre, double temperature);

/// Sinkhorn-Knopp on exp(logits/temperature): rows sum to one, and over the batch all prototypes
/// are used alike. Caron et al. 2020, algorithm 1 (3 iterations in dinov2). [B, K]
Tensor sinkhorn_distribution(const Tensor& logits, double temperature);

}  // namespace assay
