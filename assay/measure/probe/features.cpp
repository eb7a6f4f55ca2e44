// Frozen features of probe examples: the trunk's.
#include "assay/tensor/torch.h"

#include "assay/measure/probe/features.h"

#include <fmt/format.h>

#include "assay/measure/probe/reduction.h"

namespace assay::probe {
namespace {

constexpr int64_t kBatch = 50;
constexpr int64_t kTokenFit = 250;  // examples whose tokens fit the reduction of tokens
const Seed kReductions = Seed(0).child("probe.reduction");

std::span<const int64_t> slice(std::span<const int64_t> ids, int64_t begin, int64_t count) {
  return ids.subspan(static_cast<size_t>(begin), static_cast<size_t>(count));
}

/// All layers side by side. [B, T, (L + 1)·D] float32
Tensor all_layers(Objective& objective, const Dataset& data, std::span<const int64_t> ids) {
  return torch::cat(objective.features(data.get(ids)), 2).to(torch::kFloat32);
}

Reduction token_reduction(Objective& objective, const Dataset& data, std::span<const int64_t> ids,
                          int64_t train, int64_t dimension) {
  const int64_t count = std::min(train, kTokenFit);
  std::vector<Tensor> rows;
  for (int64_t at = 0; at < count; at += kBatch)
    rows.push_back(
        all_layers(objective, data, slice(ids, at, std::min(kBatch, count - at))).flatten(0, 1));
  return {torch::cat(rows), dimension, Scaling::each, kReductions.child("tokens")};
}

FeatureSet reduced(std::string name, const Tensor& values, int64_t train, int64_t dimension) {
  const Reduction reduction(values.narrow(0, 0, train), dimension, Scaling::each,
                            kReductions.child(name));
  return {std::move(name), reduction.apply(values)};
}

}  // namespace

Tensor pooled_layers(Objective& objective, const Dataset& data, std::span<const int64_t> ids) {
  torch::NoGradGuard no_grad;
  objective.eval();
  const auto count = static_cast<int64_t>(ids.size());
  std::vector<Tensor> pooled;
  for (int64_t at = 0; at < count; at += kBatch)
    pooled.push_back(
        all_layers(objective, data, slice(ids, at, std::min(kBatch, count - at))).mean(1));
  return torch::cat(pooled);
}

Features trunk_features(Objective& objective, const Dataset& data, std::span<const int64_t> ids,
                        int64_t train, const FeatureOptions& options) {
  torch::NoGradGuard no_grad;
  objective.eval();
  const auto count = static_cast<int64_t>(ids.size());
  const auto layers = static_cast<int64_t>(objective.features(data.get(slice(ids, 0, 1))).size());
  Features out;
  std::optional<Reduction> reduction;
  int64_t passes = count;
  if (options.tokens) {
    reduction = token_reduction(objective, data, ids, train, options.token_dimension);
    passes += std::min(train, kTokenFit);
  }
  std::vector<Tensor> pooled, tokens;
  for (int64_t at = 0; at < count; at += kBatch) {
    const Tensor all = all_layers(objective, data, slice(ids, at, std::min(kBatch, count - at)));
    pooled.push_back(all.mean(1));
    if (reduction) tokens.push_back(reduction->apply(all));
  }
  if (reduction) out.tokens = torch::cat(tokens);
  const Tensor all = torch::cat(pooled);
  const int64_t width = all.size(1) / layers;
  for (int64_t layer = 0; layer < layers; ++layer) {
    std::string name = layer == 0 ? "embeddings" : fmt::format("layer.{}", layer - 1);
    const Tensor values = all.narrow(1, layer * width, width);
    out.pooled.push_back(reduced(std::move(name), values, train, options.dimension));
  }
  out.pooled.push_back(reduced("all layers", all, train, options.dimension));
  out.flops = objective.feature_flops_per_example() * static_cast<double>(passes);
  return out;
}

}  // namespace assay::probe
