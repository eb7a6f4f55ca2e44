// Span kernels over flat gradients: fp32 lanes within blocks of 1,024, float64 across blocks.
#pragma once

#include <span>

#include "assay/stats/group_layout.h"

namespace assay {

/// Σ a_i². Relative error below 1e-6 for any length.
double squared_norm(std::span<const float> a);
/// Σ a_i b_i. Spans of equal length; throws Error stats.size, as all kernels here.
double dot(std::span<const float> a, std::span<const float> b);
/// Σ w_i a_i b_i: the inner product of a diagonal metric.
double weighted_dot(std::span<const float> a, std::span<const float> b,
                    std::span<const float> weight);

/// accumulator += gradient, and Σ gradient_i² in the same pass.
double accumulate_and_norm(std::span<float> accumulator, std::span<const float> gradient);
/// The same over the whole buffer [P], with squared norms by group [groups].
void accumulate_and_norm(std::span<float> accumulator, std::span<const float> gradient,
                         const GroupLayout& layout, std::span<double> squared_norms);

/// Squared norms by group [groups]; weight empty = Euclidean, else [P].
void squared_norms(std::span<const float> a, std::span<const float> weight,
                   const GroupLayout& layout, std::span<double> out);

}  // namespace assay
