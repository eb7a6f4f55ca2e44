// The noise field: what the corruption of every objective comes down to.
#pragma once

#include "assay/core/draw.h"
#include "assay/data/dataset.h"
#include "assay/tensor/bands.h"
#include "assay/tensor/noise.h"
#include "assay/tensor/torch.h"

namespace assay {

/// Which tokens of a view are meant: all; those with σ = ∞; those with σ < ∞; all but the last,
/// each standing for the one that follows; the mean of what the trunk saw, as one token.
enum class Tokens { all, masked, visible, next, pooled };

/// How signal and noise are mixed at noise share s = σ / (α + σ). linear: α = 1 - s, σ = s (flow
/// matching). variance_preserving: the same ratio with α² + σ² = 1 (diffusion).
enum class Path { linear, variance_preserving };

/// σ(token, band) >= 0 per example: input token i in band b is α·x + σ·ε, and σ = ∞ means that
/// nothing of the token is left. Masked prediction: σ in {0, ∞} per token. Diffusion and flow: one
/// σ for all. Autoregression: a causal staircase over tokens. Next-band prediction: a staircase
/// over bands.
struct NoiseField {
  // [B, T or 1, 1] in the dtype of the parameters. Undefined = 1 and 0: what is visible is clean.
  Tensor alpha, sigma;
  Path path = Path::linear;
  Tensor level;           // [B] or [B, R] noise shares that the trunk is told; undefined = 0
  Tensor level_of_token;  // [B, T] int64 in 0 … R - 1; undefined = one share for all tokens
  Tensor bound;           // [B] weight of |x̂ - x|² in the variational bound; undefined = none
  std::vector<int> level_bin;  // [B] of equal probability, 0 = cleanest; empty = all 0
  Tensor visible, masked;      // [B, V], [B, M] int64 positions, ascending; undefined = all, none
  bool drop = false;           // masked tokens leave the sequence; else one learned token stands in
  bool causal = false;         // token t sees tokens up to t
  // A staircase over bands: band k of the image enters times band_input[b, k], and its loss counts
  // band_loss[b, k] times. [B, K]; undefined = 1.
  std::shared_ptr<const BandSpectrum> spectrum;
  Tensor band_input, band_loss;

  /// Positions [B, n], or undefined for the natural order of all tokens. REQUIRES all, masked or
  /// visible.
  Tensor positions(Tokens which) const;
  /// Signal-to-noise ratio α²/σ² of each example. [B] REQUIRES one level per example.
  Tensor snr() const;
};

/// The keys of a batch's rows.
inline RowKeys row_keys(const Batch& batch) { return {batch.ids, batch.replicas}; }

/// Tokens as the trunk reads them, and the noise that was mixed in.
struct Corrupted {
  Tensor tokens, noise;  // [B, T, P]; noise undefined if there is none
};

/// α·x + σ·ε on tokens [B, T, P]; masked tokens are left to the trunk. `stream` keys ε. channels:
/// of the image that a staircase over bands transforms.
Corrupted corrupt_tokens(const NoiseField& field, const Tensor& tokens, const RowKeys& rows,
                         Seed stream, int64_t channels = 3);

/// Those of `values` [B, T, …] that `which` means, of a full sequence in natural order. pooled: the
/// mean. [B, n, …]
Tensor select_tokens(const Tensor& values, const NoiseField& field, Tokens which);

/// α and σ at noise shares s, each of the shape of s.
std::pair<Tensor, Tensor> mixing(const Tensor& share, Path path);

}  // namespace assay
