// Fixed sine-cosine codes of positions and noise levels.
#pragma once

#include "assay/tensor/torch.h"

namespace assay {

/// [tokens, width]: sines and cosines of geometric frequencies 1 … 1e-4 per position. Vaswani et
/// al. 2017, "Attention is all you need". width must be even.
Tensor line_positions(int64_t tokens, int64_t width);

/// [grid², width] in raster order: half of the numbers code the row, half the column, as in MAE
/// (He et al. 2022). width must be divisible by 4.
Tensor grid_positions(int64_t grid, int64_t width);

inline constexpr int64_t kLevelFeatures = 64;

/// Noise shares in [0, 1], [B], to [B, kLevelFeatures]: 1000·s at frequencies 1 … 1e-4, as the time
/// embedding of DiT (Peebles and Xie 2023).
Tensor level_features(const Tensor& share);

}  // namespace assay
