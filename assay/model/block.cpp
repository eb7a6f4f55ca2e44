// One pre-LN transformer layer.
#include "assay/model/block.h"

#include <cmath>

#include "assay/tensor/flops.h"

namespace assay {

Block::Block(int64_t width, int64_t heads, int64_t mlp_ratio, int64_t depth, Seed init)
    : heads_(heads) {
  const double residual_gain = 1 / std::sqrt(2.0 * static_cast<double>(depth));
  attention_norm_ = register_module("attention_norm", std::make_shared<LayerNorm>(width));
  qkv_ = register_module("qkv", std::make_shared<Linear>(width, 3 * width, init.child("qkv")));
  projection_ = register_module(
      "projection",
      std::make_shared<Linear>(width, width, init.child("projection"), residual_gain));
  mlp_norm_ = register_module("mlp_norm", std::make_shared<LayerNorm>(width));
  mlp_in_ = register_module(
      "mlp_in", std::make_shared<Linear>(width, mlp_ratio * width, init.child("mlp_in")));
  mlp_out_ = register_module(
      "mlp_out",
      std::make_shared<Linear>(mlp_ratio * width, width, init.child("mlp_out"), residual_gain));
}

Tensor Block::attention(const Tensor& x, bool causal) const {
  const int64_t batch = x.size(0), tokens = x.size(1), width = x.size(2);
  const Tensor heads = qkv_->forward(x)
                           .view({batch, tokens, 3, heads_, width / heads_})
                           .permute({2, 0, 3, 1, 4});  // [3, B, H, T, D/H], a view
  const Tensor mixed = at::scaled_dot_product_attention(heads.select(0, 0), heads.select(0, 1),
                                                        heads.select(0, 2), {}, 0.0, causal);
  return projection_->forward(mixed.transpose(1, 2).reshape({batch, tokens, width}));
}

Tensor Block::forward(const Tensor& x, bool causal) const {
  const Tensor mixed = x + attention(attention_norm_->forward(x), causal);
  return mixed + mlp_out_->forward(at::gelu(mlp_in_->forward(mlp_norm_->forward(mixed))));
}

double Block::flops(double tokens) const {
  return qkv_->flops(tokens) + projection_->flops(tokens) + mlp_in_->flops(tokens) +
         mlp_out_->flops(tokens) +
         attention_flops(tokens, static_cast<double>(projection_->weight.size(0)));
}

}  // namespace assay
