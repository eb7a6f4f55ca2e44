// Fixed sine-cosine codes of positions and noise levels.
#pragma once

#include "assay/tensor/torch.h"

namespace assay {

/// [tokens, width]: sines and cosines of geometric frequencies 1 … 1e-4 per position. Vaswani et
/// al. 2017, "Attention is all you need". width must be even.
Tensor line_positions(int64_t tokens, int64_t width);

/// [grid², width] in raster order: half of the numbers code the row, half the column, as in MAE
/// (He et al. 2022). width must be divisible by 4. extent: the grid whose coordinates are used, so
/// that coarser and finer grids span the same square (patch centres); 0 = this grid's own.
Tensor grid_positions(int64_t grid, int64_t width, int64_t extent = 0);

inline constexpr int64_t kLevelFeatures = 64;

/// Noise shares in [0, 1], [B], to [B, kLevelFeatures]: 1000·s at frequencies 1 … 1e-4, as the time
/// embedding of DiT (Peebles and Xie 2023).
Tensor level_features(const Tensor& share);

}  // namespace assay
