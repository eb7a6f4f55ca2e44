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

Tensor Trunk::embed(const TrunkInput& input) {
  const int64_t tokens = input.tokens.size(1);
  Tensor content = input.tokens, positions = positions_;
  if (patches_) {
    check_shape(content, {kAny, shape_.tokens, shape_.numbers}, "patches");
    if (input.kept.defined()) content = take_positions(content, input.kept);
    content = patches_->forward(content);
  } else {
    check_shape(content, {kAny, kAny}, "bytes");
    if (input.kept.defined()) content = take_positions(content, input.kept);
    content = at::embedding(bytes_, content);
  }
  if (input.kept.defined())
    positions = positions.index_select(0, input.kept.reshape(-1)).view(content.sizes());
  else
    positions = positions.narrow(0, 0, tokens).unsqueeze(0);

  const Tensor share = input.level.defined() ? input.level : at::zeros({1}, tensor_options());
  const Tensor level =
      level_out_->forward(at::silu(level_in_->forward(level_features(share)))).unsqueeze(1);
  // The small sums first: positions and level are [B or 1, K or T, D].
  return content + (positions + level);
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

double Trunk::flops(int64_t tokens) const {
  const auto rows = static_cast<double>(tokens);
  double sum = level_in_->flops(1) + level_out_->flops(1);
  if (patches_) sum += patches_->flops(rows);
  for (const auto& layer : layers_) sum += layer->flops(rows);
  return sum;
}

}  // namespace assay
