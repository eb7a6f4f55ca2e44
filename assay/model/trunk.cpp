// The trunk: one pre-LN transformer that every objective trains and every probe reads.
#include "assay/model/trunk.h"

#include <fmt/format.h>

#include <cmath>

#include "assay/model/block.h"
#include "assay/model/positions.h"
#include "assay/tensor/noise.h"
#include "assay/tensor/shape.h"

namespace assay {

namespace {

constexpr int64_t kByteValues = 256;
// About the scale of embedded patches, and below that of positions (root mean square .71).
constexpr double kByteDeviation = 0.5;

Tensor positions_of(const TokenShape& shape, int64_t width) {
  if (shape.numbers == 0) return line_positions(shape.tokens, width);
  const auto grid = static_cast<int64_t>(std::lround(std::sqrt(shape.tokens)));
  if (grid * grid != shape.tokens)
    throw Error("config.patch", fmt::format("{} patches do not form a square", shape.tokens));
  return grid_positions(grid, width);
}

}  // namespace

std::vector<Option> model_options() {
  using namespace declare;
  return {
      integer("width", 128, closed(4, 8192), "numbers per token; divisible by 4 and by heads"),
      integer("depth", 4, closed(1, 128), "layers"),
      integer("heads", 4, closed(1, 128), "attention heads per layer"),
      integer("mlp_ratio", 4, closed(1, 16), "hidden width of the perceptron over width"),
      integer("patch", 4, closed(1, 256), "side of an image patch, in pixels; text ignores it")};
}

ModelConfig model_config(const Options& options) {
  const ModelConfig config{options.integer("width"), options.integer("depth"),
                           options.integer("heads"), options.integer("mlp_ratio"),
                           options.integer("patch")};
  if (config.width % 4 != 0 || config.width % config.heads != 0)
    throw options.error("width", "config.model",
                        fmt::format("width {} does not suit {} heads", config.width, config.heads),
                        "it must be divisible by 4 (two-dimensional positions) and by `heads`");
  return config;
}

void check_width(int64_t width, int64_t heads, const std::string& what) {
  if (width % 4 != 0 || width % heads != 0)
    throw Error("config.model",
                fmt::format("{} width {} does not suit {} heads", what, width, heads),
                "it must be divisible by 4 (two-dimensional positions) and by the number of heads");
}

Tensor take_positions(const Tensor& tokens, const Tensor& positions) {
  if (tokens.dim() == 2) return tokens.gather(1, positions);
  const int64_t batch = tokens.size(0), all = tokens.size(1), numbers = tokens.size(2);
  const Tensor offsets = at::arange(batch, positions.options()).unsqueeze(1) * all;
  return tokens.reshape({batch * all, numbers})
      .index_select(0, (positions + offsets).view(-1))
      .view({batch, positions.size(1), numbers});
}

Trunk::Trunk(const ModelConfig& config, const TokenShape& shape, Seed init)
    : config_(config), shape_(shape) {
  const int64_t width = config.width;
  check_width(width, config.heads, "model");
  auto embedding = register_module("embedding", std::make_shared<nn::Module>("Embedding"));
  if (shape.numbers > 0)
    patches_ = embedding->register_module(
        "patch", std::make_shared<Linear>(shape.numbers, width, init.child("patch")));
  else
    bytes_ = embedding->register_parameter(
        "byte", normal_tensor(init.child("byte"), {kByteValues, width}, kByteDeviation));
  level_in_ = embedding->register_module(
      "level_in", std::make_shared<Linear>(kLevelFeatures, width, init.child("level_in")));
  level_out_ = embedding->register_module(
      "level_out", std::make_shared<Linear>(width, width, init.child("level_out")));
  positions_ = register_buffer("positions", positions_of(shape, width));

  auto layers = register_module("layers", std::make_shared<nn::Module>("Layers"));
  for (int64_t i = 0; i < config.depth; ++i)
    layers_.push_back(layers->register_module(
        fmt::format("{}", i),
        std::make_shared<Block>(width, config.heads, config.mlp_ratio, config.depth,
                                init.child("layer").child(static_cast<uint64_t>(i)))));
  norm_ = register_module("norm", std::make_shared<LayerNorm>(width));
}

at::TensorOptions Trunk::tensor_options() const { return norm_->weight.options(); }

Tensor Trunk::content(const Tensor& tokens) const {
  if (patches_) {
    check_shape(tokens, {kAny, kAny, shape_.numbers}, "patches");
    return patches_->forward(tokens);
  }
  check_shape(tokens, {kAny, kAny}, "bytes");
  return at::embedding(bytes_, tokens);
}

// [B or 1, K or T, D]
Tensor Trunk::positions(const TrunkInput& input) const {
  const int64_t tokens = input.tokens.size(1), width = config_.width;
  if (input.kept.defined())
    return positions_.index_select(0, input.kept.reshape(-1))
        .view({input.kept.size(0), input.kept.size(1), width});
  if (!patches_ || tokens == shape_.tokens) return positions_.narrow(0, 0, tokens).unsqueeze(0);
  const auto side = [](int64_t count) {
    return static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(count))));
  };
  check_shape(input.tokens, {kAny, side(tokens) * side(tokens), kAny}, "patches of a square crop");
  return grid_positions(side(tokens), width, side(shape_.tokens))
      .to(positions_.options())
      .unsqueeze(0);
}

// [B or 1, 1 or T, D]
Tensor Trunk::embed_level(const TrunkInput& input) const {
  const Tensor share = input.level.defined() ? input.level : at::zeros({1}, tensor_options());
  const Tensor level =
      level_out_->forward(at::silu(level_in_->forward(level_features(share.reshape(-1)))));
  if (!input.level_of_token.defined()) return level.unsqueeze(1);
  const Tensor index =
      input.kept.defined() ? input.level_of_token.gather(1, input.kept) : input.level_of_token;
  return take_positions(level.view({share.size(0), share.size(1), config_.width}), index);
}

Tensor Trunk::embed(const TrunkInput& input) {
  Tensor embedded =
      content(input.kept.defined() ? take_positions(input.tokens, input.kept) : input.tokens);
  if (input.mask_token.defined()) {
    const Tensor index = input.masked.unsqueeze(2).expand({-1, -1, config_.width});
    embedded = embedded.scatter(1, index, input.mask_token.expand(index.sizes()));
  }
  // The small sums first.
  return embedded + (positions(input) + embed_level(input));
}

Tensor Trunk::forward(const TrunkInput& input) {
  Tensor x = embed(input);
  for (const auto& layer : layers_) x = layer->forward(x, input.causal);
  return norm_->forward(x);
}

std::vector<Tensor> Trunk::features(const TrunkInput& input) {
  std::vector<Tensor> out{embed(input)};
  for (const auto& layer : layers_) out.push_back(layer->forward(out.back(), input.causal));
  out.back() = norm_->forward(out.back());
  return out;
}

double Trunk::content_flops() const { return patches_ ? patches_->flops(1) : 0; }

double Trunk::flops(int64_t tokens, int64_t levels) const {
  const auto rows = static_cast<double>(tokens);
  const auto shares = static_cast<double>(levels);
  double sum = level_in_->flops(shares) + level_out_->flops(shares) + content_flops() * rows;
  for (const auto& layer : layers_) sum += layer->flops(rows);
  return sum;
}

}  // namespace assay
