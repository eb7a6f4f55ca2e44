// Multinomial logistic regression with a ridge, for several factors at once.
#pragma once

#include "assay/tensor/torch.h"

namespace assay::probe {

/// K factors with C_k classes each stand side by side in ΣC_k columns.
struct ClassBlocks {
  explicit ClassBlocks(std::vector<int64_t> cardinalities);

  int64_t factors() const { return static_cast<int64_t>(cardinality.size()); }
  int64_t columns() const { return begin.back() + cardinality.back(); }

  std::vector<int64_t> cardinality, begin;  // [K]; begin = first column of a factor
  Tensor indicator;  // [ΣC, K] float64: 1 where the column belongs to the factor
};

struct SoftmaxFit {
  Tensor weights;  // [d + 1, ΣC] float32; the last row is the bias
  double flops = 0;
};

struct FitOptions {
  double ridge = 1e-2;  // λ
  int max_iterations = 60;
  double tolerance = 1e-5;  // least relative decrease of a factor's objective per iteration
};

/// Minimises, for each factor k by itself, mean over examples with a known label of −ln p_k(y) plus
/// λ/2 |W_k|² (the bias is free): L-BFGS (Liu and Nocedal 1989) preconditioned by a bound of the
/// Hessian, the factors in one batch of matrix products but each with its own curvature, step and
/// end, so that adding a factor changes no other. features [n, d] float32, labels [n, K] int64 (−1
/// = unknown), start [d + 1, ΣC].
SoftmaxFit fit_softmax(const Tensor& features, const Tensor& labels, const ClassBlocks& blocks,
                       const Tensor& start, const FitOptions& options);

/// Zero weights and biases at the log of the (add-half) class frequencies: the null model.
Tensor null_weights(int64_t dimension, const Tensor& labels, const ClassBlocks& blocks);

/// features times weights, plus bias. [n, ΣC]
Tensor logits(const Tensor& features, const Tensor& weights);

/// log2 of the probability given to the true class [n, K] float64, and whether it was the most
/// probable one [n, K] float64; both NaN where the label is unknown.
struct Scores {
  Tensor log2_probability, correct;
};
Scores score(const Tensor& logits, const Tensor& labels, const ClassBlocks& blocks);

/// Mean over the rows with a known label of −log2 p. [K] float64
Tensor code_length(const Scores& scores);

}  // namespace assay::probe
