// FLOP counts: one pass costs 2·P·T for the weights that every token meets, plus 4·T²·d·L for
// attention.
#pragma once

namespace assay {

/// A product of `tokens` rows with an [out, in] weight: 2 · in · out · tokens.
constexpr double linear_flops(double in, double out, double tokens) {
  return 2 * in * out * tokens;
}

/// Scores and weighted sum of one layer: 4 · T² · d. Causal attention counts the same, by
/// convention (Kaplan et al. 2020, Hoffmann et al. 2022), although half of its scores are masked.
constexpr double attention_flops(double tokens, double width) {
  return 4 * tokens * tokens * width;
}

/// A forward pass and the two products of its backward pass, per forward FLOP.
inline constexpr double kTrainedPass = 3;
/// Weights frozen, activations carry gradient.
inline constexpr double kFrozenPass = 2;

}  // namespace assay
