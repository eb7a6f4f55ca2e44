// Which part of a branch's way taught which factor.
#include "assay/tensor/torch.h"

#include "assay/measure/drive/attribution.h"

#include <cmath>

namespace assay::drive {
namespace {

constexpr int64_t kBatch = 32;  // images whose graph is held at a time

/// Σ over the images of −log2 p of the true value, by factor. [K]
std::vector<Tensor> surprise(const Tensor& logits, const Tensor& labels,
                             const probe::ClassBlocks& blocks) {
  std::vector<Tensor> sums;
  for (int64_t k = 0; k < blocks.factors(); ++k) {
    const auto i = static_cast<size_t>(k);
    const Tensor block = logits.narrow(1, blocks.begin[i], blocks.cardinality[i]);
    const Tensor label = labels.select(1, k);
    const Tensor own =
        torch::log_softmax(block, 1).gather(1, label.clamp_min(0).unsqueeze(1)).squeeze(1);
    sums.push_back(-(own * label.ge(0).to(own.dtype())).sum() / std::log(2.0));
  }
  return sums;
}

}  // namespace

Tensor probe_gradients(Objective& objective, FlatParameters& flat, const Dataset& heldout,
                       const probe::ProbeData& data, const Reading& reading, int64_t images) {
  const torch::AutoGradMode with_gradient(true);
  objective.eval();
  const int64_t first = data.task.train + data.task.validation;
  const int64_t count = std::min(images, data.task.test), factors = data.task.blocks.factors();
  Tensor out = torch::zeros({factors, flat.size()});
  for (int64_t at = 0; at < count; at += kBatch) {
    const int64_t size = std::min(kBatch, count - at);
    const auto ids =
        std::span(data.ids).subspan(static_cast<size_t>(first + at), static_cast<size_t>(size));
    const Tensor pooled = torch::cat(objective.features(heldout.get(ids)), 2).mean(1);
    const Tensor logits =
        probe::logits(reading.reduction->apply(pooled.to(torch::kFloat32)), reading.weights);
    const auto losses =
        surprise(logits, data.task.labels.narrow(0, first + at, size), data.task.blocks);
    for (int64_t k = 0; k < factors; ++k) {
      flat.differentiate(losses[static_cast<size_t>(k)], true);
      const torch::NoGradGuard no_gradient;
      out.select(0, k).add_(flat.gradients());
    }
  }
  return out / static_cast<double>(count);
}

std::vector<Attribution> attribute(const Tensor& start, const std::vector<Tensor>& ends,
                                   const std::vector<std::vector<PathPart>>& parts,
                                   const std::vector<Group>& groups) {
  const auto branches = static_cast<int64_t>(ends.size());
  Tensor sum = torch::zeros_like(start);
  for (const Tensor& end : ends) sum += end;
  std::vector<Attribution> out;
  for (const PathPart& part : parts.front())
    for (const Group& group : groups)
      out.push_back(
          {part.name, group.name, torch::zeros({branches, start.size(0)}, torch::kFloat64)});
  for (int64_t r = 0; r < branches; ++r) {
    const auto i = static_cast<size_t>(r);
    const Tensor others = (sum - ends[i]) / static_cast<double>(branches - 1);
    const Tensor slope = (start + others) / -2;
    size_t row = 0;
    for (const PathPart& part : parts[i])
      for (const Group& group : groups)
        out[row++].bits.select(0, r).copy_(
            slope.slice(1, group.begin, group.end)
                .matmul(part.displacement.slice(0, group.begin, group.end)));
  }
  return out;
}

}  // namespace assay::drive
