// A light transformer that reconstructs positions which the trunk never saw.
#include "assay/model/decoder.h"

#include <fmt/format.h>

#include <cmath>

#include "assay/model/positions.h"
#include "assay/tensor/noise.h"

namespace assay {

double output_gain(int64_t width, int64_t outputs) {
  const auto fan_in = static_cast<double>(width);
  return kOutputScale / std::sqrt(fan_in) *
         std::sqrt((fan_in + static_cast<double>(outputs)) / 2);  // undoes Glorot's deviation
}

Decoder::Decoder(const DecoderConfig& config, int64_t trunk_width, int64_t outputs, int64_t tokens,
                 bool grid, Seed init)
    : tokens_(tokens) {
  const int64_t width = config.width;
  mask_token_ = register_parameter("mask_token",
                                   normal_tensor(init.child("mask_token"), {1, 1, width}, 0.02));
  input_ =
      register_module("input", std::make_shared<Linear>(trunk_width, width, init.child("input")));
  auto layers = register_module("layers", std::make_shared<nn::Module>("Layers"));
  for (int64_t i = 0; i < config.depth; ++i)
    layers_.push_back(layers->register_module(
        fmt::format("{}", i),
        std::make_shared<Block>(width, config.heads, 4, config.depth,
                                init.child("layer").child(static_cast<uint64_t>(i)))));
  norm_ = register_module("norm", std::make_shared<LayerNorm>(width));
  output_ = register_module("output", std::make_shared<Linear>(width, outputs, init.child("output"),
                                                               output_gain(width, outputs)));
  const auto side = static_cast<int64_t>(std::lround(std::sqrt(tokens)));
  positions_ = register_buffer("positions",
                               grid ? grid_positions(side, width) : line_positions(tokens, width));
}

Tensor Decoder::forward(const Tensor& features, const Tensor& kept, const Tensor& masked,
                        int64_t first, int64_t n) const {
  const int64_t batch = features.size(0), width = mask_token_.size(2);
  const Tensor order = at::cat({kept, masked}, 1).view(-1);
  const Tensor filled =
      at::cat({input_->forward(features), mask_token_.expand({batch, masked.size(1), width})}, 1);
  Tensor x = filled + positions_.index_select(0, order).view({batch, tokens_, width});
  for (const auto& layer : layers_) x = layer->forward(x, false);
  return output_->forward(norm_->forward(x.narrow(1, first, n)));
}

Tensor Decoder::generate(const Tensor& code) const {
  Tensor x = input_->forward(code).unsqueeze(1) + (mask_token_ + positions_);
  for (const auto& layer : layers_) x = layer->forward(x, false);
  return output_->forward(norm_->forward(x));
}

double Decoder::flops(int64_t projected, int64_t outputs) const {
  double sum = input_->flops(static_cast<double>(projected));
  for (const auto& layer : layers_) sum += layer->flops(static_cast<double>(tokens_));
  return sum + output_->flops(static_cast<double>(outputs));
}

}  // namespace assay
