// One pre-LN transformer layer: attention and a two-layer perceptron.
#pragma once

#include "assay/model/linear.h"

namespace assay {

/// x + proj(attention(norm(x))), then x + out(GELU(in(norm(x)))), exact GELU. Pre-LN of Xiong et
/// al. 2020, "On layer normalization in the transformer architecture"; initial output projections
/// scaled by 1/√(2L) as in GPT-2 (Radford et al. 2019), so that the residual stream does not grow
/// with depth L.
class Block : public nn::Module {
 public:
  Block(int64_t width, int64_t heads, int64_t mlp_ratio, int64_t depth, Seed init);

  /// [B, T, D] to the same. causal: token t sees tokens up to t.
  Tensor forward(const Tensor& x, bool causal) const;
  /// Of one example with this many tokens.
  double flops(double tokens) const;

 private:
  Tensor attention(const Tensor& x, bool causal) const;

  int64_t heads_;
  std::shared_ptr<LayerNorm> attention_norm_, mlp_norm_;
  std::shared_ptr<Linear> qkv_, projection_, mlp_in_, mlp_out_;
};

}  // namespace assay
