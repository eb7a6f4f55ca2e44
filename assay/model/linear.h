// A linear layer whose initial weights come from a seed: nn::Linear draws from the global
// generator.
#pragma once

#include "assay/core/seed.h"
#include "assay/tensor/torch.h"

namespace assay {

/// y = x Wᵀ + b. b starts at zero.
class Linear : public nn::Module {
 public:
  /// gain: standard deviation of W times that of Glorot and Bengio (2010), √(2 / (in + out)).
  Linear(int64_t in, int64_t out, Seed init, double gain = 1);

  /// [..., in] to [..., out].
  Tensor forward(const Tensor& x) const { return at::linear(x, weight, bias); }
  double flops(double rows) const;

  Tensor weight, bias;  // [out, in], [out]
};

/// Layer normalisation with scale 1 and offset 0 to start with.
class LayerNorm : public nn::Module {
 public:
  explicit LayerNorm(int64_t width);
  Tensor forward(const Tensor& x) const;

  Tensor weight, bias;  // [width]
};

}  // namespace assay
