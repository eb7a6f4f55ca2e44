// The noise field: what the corruption of every objective comes down to.
#pragma once

#include "assay/core/draw.h"
#include "assay/data/dataset.h"
#include "assay/tensor/bands.h"
#include "assay/tensor/noise.h"
#include "assay/tensor/torch.h"

namespace assay {

/// Which tokens of a field are meant: all, those with σ = ∞, those with σ < ∞.
enum class Tokens { all, masked, visible };

/// σ(token, band) >= 0 per example: input token i in band b is α·x + σ·ε, and σ = ∞ means that
/// nothing of the token is left. Masked prediction: σ in {0, ∞} per token. Diffusion and flow: one
/// σ for all. Autoregression: a causal staircase over tokens.
struct NoiseField {
  // [B, T or 1, 1] in the dtype of the parameters; the last axis is for bands of the whole image.
  // Undefined = 1 and 0: what is visible is clean.
  Tensor alpha, sigma;
  Tensor level;                // [B] noise share in [0, 1] that the trunk is told; undefined = 0
  std::vector<int> level_bin;  // [B] of equal probability, 0 = cleanest; empty = all 0
  Tensor visible, masked;      // [B, V], [B, M] int64 positions, ascending; undefined = all, none
  bool drop = false;           // masked tokens leave the sequence; else their content becomes zero
  bool causal = false;         // token t sees tokens up to t

  /// Positions [B, n], or undefined for the natural order of all tokens.
  Tensor positions(Tokens which) const;
};

/// The keys of a batch's rows.
inline RowKeys row_keys(const Batch& batch) { return {batch.ids, batch.replicas}; }

/// α·x + σ·ε on tokens [B, T, P], masked tokens zero unless they are dropped anyway. `stream` keys
/// ε.
Tensor corrupt_tokens(const NoiseField& field, const Tensor& tokens, const RowKeys& rows,
                      Seed stream);

}  // namespace assay
