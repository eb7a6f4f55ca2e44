// The targets that teachers make of their layers.
#pragma once

#include "assay/tensor/torch.h"

namespace assay {

/// (1/k) Σ of the last k layers, each normalised over its numbers without scale and offset (ε =
/// 1e-5). layers: [B, T, D] each. data2vec (arXiv 2202.03555); k = 1 is I-JEPA's target.
Tensor averaged_layers(const std::vector<Tensor>& layers, int64_t k, bool normalise);

}  // namespace assay
