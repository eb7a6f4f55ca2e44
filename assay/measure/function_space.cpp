// Gradients as the motion that they give to features.
#include "assay/tensor/torch.h"

#include "assay/measure/function_space.h"

#include <cmath>

#include "assay/core/error.h"

namespace assay {

FunctionSpace::FunctionSpace(GradientSource& source, Objective& objective,
                             FlatParameters& parameters, const Batch& inputs, const Tensor& weight)
    : source_(source),
      objective_(objective),
      inputs_(inputs),
      gradient_(static_cast<size_t>(source.size())) {
  for (const Group& group : parameters.groups())
    if (group.name == "trunk") range_ = group;
  if (range_.name.empty()) throw Error("stats.row", "the model has no group `trunk`");
  trunk_ = parameters.values().slice(0, range_.begin, range_.end);
  weight_ = weight.slice(0, range_.begin, range_.end);
  trunk_start_ = trunk_.clone();
  start_ = features_at(trunk_start_);
  spread_ = start_.var(0).sum().sqrt().item<double>();
}

/// [inputs, (L + 1)·D] float64
Tensor FunctionSpace::features_at(const Tensor& trunk) {
  const torch::NoGradGuard no_grad;
  trunk_.copy_(trunk);
  const Tensor features = torch::cat(objective_.features(inputs_), 2).mean(1);
  trunk_.copy_(trunk_start_);
  return features.to(torch::kFloat64);
}

void FunctionSpace::gradient(std::span<const int64_t> examples, const Draw& draw,
                             std::span<float> out) {
  source_.gradient(examples, draw, gradient_);
  const torch::NoGradGuard no_grad;
  const Tensor direction =
      torch::from_blob(gradient_.data(), {source_.size()}).slice(0, range_.begin, range_.end) *
      weight_;
  const double length = direction.norm().item<double>();
  Tensor motion = torch::zeros_like(start_);
  if (length > 0 && spread_ > 0) {
    const double step = kStep * trunk_start_.norm().item<double>() / length;
    const Tensor ahead = features_at(trunk_start_ + step * direction);
    const Tensor behind = features_at(trunk_start_ - step * direction);
    const double inputs = static_cast<double>(start_.size(0));
    motion = (ahead - behind) / (2 * step * spread_ * std::sqrt(inputs));
  }
  torch::from_blob(out.data(), {size()}).copy_(motion.flatten());
}

}  // namespace assay
