// LibTorch's AdamW with its moments in flat buffers.
#include "assay/train/optimizer.h"

namespace assay {

Optimizer::Optimizer(Objective& objective, const FlatParameters& flat, const TrainConfig& config)
    : config_(config),
      first_(torch::zeros_like(flat.values())),
      second_(torch::zeros_like(flat.values())) {
  auto options = torch::optim::AdamWOptions(config.learning_rate)
                     .betas({config.beta1, config.beta2})
                     .eps(config.epsilon);
  std::vector<Tensor> decaying, other;
  size_t i = 0;
  const auto& entries = flat.entries();
  for (const auto& [name, parameter] : trained_parameters(objective))
    (entries[i++].decays ? decaying : other).push_back(parameter);
  std::vector<torch::optim::OptimizerParamGroup> groups;
  for (auto* parameters : {&decaying, &other}) {
    if (parameters->empty()) continue;
    auto own = options;
    own.weight_decay(parameters == &decaying ? config.weight_decay : 0.0);
    groups.emplace_back(*parameters, std::make_unique<torch::optim::AdamWOptions>(own));
  }
  adamw_ = std::make_unique<torch::optim::AdamW>(std::move(groups), options);

  // Seeding the state before the first step makes AdamW update our views in place.
  i = 0;
  for (const auto& [name, parameter] : trained_parameters(objective)) {
    const auto& entry = entries[i++];
    auto state = std::make_unique<torch::optim::AdamWParamState>();
    state->exp_avg(first_.slice(0, entry.begin, entry.end).view(entry.shape));
    state->exp_avg_sq(second_.slice(0, entry.begin, entry.end).view(entry.shape));
    adamw_->state()[parameter.unsafeGetTensorImpl()] = std::move(state);
  }
}

double Optimizer::step(FlatParameters& flat, double learning_rate) {
  torch::NoGradGuard no_grad;
  Tensor gradients = flat.gradients();
  const double norm = gradients.norm().item<double>();
  if (config_.clip_norm > 0 && norm > config_.clip_norm) gradients.mul_(config_.clip_norm / norm);
  for (auto& group : adamw_->param_groups()) group.options().set_lr(learning_rate);
  adamw_->step();
  ++steps_;
  return norm;
}

void Optimizer::restore(int64_t steps) {
  steps_ = steps;
  for (auto& [key, state] : adamw_->state())
    static_cast<torch::optim::AdamWParamState&>(*state).step(steps);
}

}  // namespace assay
