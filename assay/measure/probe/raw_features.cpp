// Features of the input itself: what a readout gets without any trunk.
#include "assay/tensor/torch.h"

#include "assay/measure/probe/features.h"

#include <cmath>

#include "assay/measure/probe/reduction.h"

namespace assay::probe {
namespace {

constexpr int64_t kBatch = 250;
constexpr int64_t kBytes = 256;
constexpr int64_t kPairBuckets = 512;
constexpr int64_t kPositionWaves = 8;   // sines and as many cosines, per axis
constexpr int64_t kFitRows = 250 * 64;  // tokens that fit the reduction of tokens
const Seed kReductions = Seed(0).child("probe.reduction").child("raw");

/// Sines and cosines of position / length at 1, 2, 4, … half waves. [length, 2·waves]
Tensor position_code(int64_t length) {
  const Tensor at = (torch::arange(length, torch::kFloat64) + .5) / static_cast<double>(length);
  std::vector<Tensor> columns;
  for (int64_t wave = 0; wave < kPositionWaves; ++wave) {
    const Tensor phase = at * (M_PI * std::exp2(static_cast<double>(wave)));
    columns.push_back(phase.sin());
    columns.push_back(phase.cos());
  }
  return torch::stack(columns, 1).to(torch::kFloat32);
}

/// Patches of a square grid of `count` tokens, with their position. [B, T, C·p·p + position]
Tensor patch_tokens(const Tensor& images, int64_t count) {
  const auto side = std::max<int64_t>(1, std::llround(std::sqrt(static_cast<double>(count))));
  const int64_t b = images.size(0), c = images.size(1), p = images.size(2) / side;
  const Tensor patches = images.narrow(2, 0, side * p)
                             .narrow(3, 0, side * p)
                             .reshape({b, c, side, p, side, p})
                             .permute({0, 2, 4, 1, 3, 5})
                             .reshape({b, side * side, c * p * p});
  const Tensor code = position_code(side);
  const Tensor rows = code.unsqueeze(1).expand({side, side, -1});
  const Tensor columns = code.unsqueeze(0).expand({side, side, -1});
  const Tensor position = torch::cat({rows, columns}, 2).flatten(0, 1).unsqueeze(0);
  return torch::cat({patches, position.expand({b, -1, -1})}, 2);
}

/// Bytes that the trunk reads: all but the last, which is only predicted. [B, T]
Tensor input_bytes(const Batch& batch) { return batch.bytes.narrow(1, 0, batch.bytes.size(1) - 1); }

Tensor byte_tokens(const Tensor& bytes) {
  const Tensor one_hot = torch::one_hot(bytes, kBytes).to(torch::kFloat32);
  const Tensor position = position_code(bytes.size(1)).unsqueeze(0);
  return torch::cat({one_hot, position.expand({bytes.size(0), -1, -1})}, 2);
}

/// Frequencies of bytes, and of pairs of neighbours in buckets. [B, 256 + buckets]
Tensor byte_statistics(const Tensor& bytes) {
  const int64_t length = bytes.size(1);
  const Tensor single = torch::one_hot(bytes, kBytes).to(torch::kFloat32).mean(1);
  const Tensor first = bytes.narrow(1, 0, length - 1), second = bytes.narrow(1, 1, length - 1);
  // Knuth's multiplicative hash of the pair (The Art of Computer Programming 3, section 6.4).
  const Tensor bucket =
      ((first * kBytes + second) * 40503).remainder(65536).floor_divide(65536 / kPairBuckets);
  Tensor pairs = torch::zeros({bytes.size(0), kPairBuckets});
  pairs.scatter_add_(1, bucket, torch::ones_like(bucket, torch::kFloat32));
  return torch::cat({single, pairs / static_cast<double>(length - 1)}, 1);
}

Tensor tokens_of(const Batch& batch, int64_t count) {
  return batch.bytes.defined() ? byte_tokens(input_bytes(batch))
                               : patch_tokens(batch.images, count);
}

}  // namespace

Features raw_features(const Dataset& data, std::span<const int64_t> ids, int64_t train,
                      int64_t tokens_per_example, const FeatureOptions& options) {
  torch::NoGradGuard no_grad;
  const auto count = static_cast<int64_t>(ids.size());
  const bool text = data.info().modality == Modality::text;
  std::optional<Reduction> reduction;
  std::vector<Tensor> whole, tokens;
  for (int64_t at = 0; at < count; at += kBatch) {
    const Batch batch = data.get(
        ids.subspan(static_cast<size_t>(at), static_cast<size_t>(std::min(kBatch, count - at))));
    whole.push_back(text ? byte_statistics(input_bytes(batch)) : batch.images.flatten(1));
    if (!options.tokens) continue;
    const Tensor rows = tokens_of(batch, tokens_per_example);
    if (!reduction) {
      const Tensor fitted = rows.narrow(0, 0, std::min(train, rows.size(0))).flatten(0, 1);
      reduction.emplace(fitted.narrow(0, 0, std::min(kFitRows, fitted.size(0))),
                        options.token_dimension, Scaling::common, kReductions.child("tokens"));
    }
    tokens.push_back(reduction->apply(rows));
  }
  Features out;
  const Tensor values = torch::cat(whole);
  const Reduction pooled(values.narrow(0, 0, train), options.dimension, Scaling::common,
                         kReductions.child("whole"));
  out.pooled.push_back({text ? "bytes and pairs of bytes" : "pixels", pooled.apply(values)});
  if (options.tokens) out.tokens = torch::cat(tokens);
  return out;
}

}  // namespace assay::probe
