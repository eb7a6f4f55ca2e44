// One optimiser step after another: what a trial and its branches have in common.
#include "assay/train/stepper.h"

#include <chrono>
#include <cmath>

#include "assay/stats/kernels.h"

namespace assay {

Stepper::Stepper(std::shared_ptr<Objective> objective, const TrainConfig& config,
                 const Dataset& data, Seed stream)
    : objective_(std::move(objective)),
      config_(config),
      data_(data),
      stream_(stream),
      flat_(*objective_),
      optimizer_(*objective_, flat_, config),
      averaged_(flat_.values().clone()),
      accumulated_(torch::zeros_like(flat_.values())),
      layout_(flat_.groups(), flat_.size()),
      steps_(steps_of(config, objective_->flops_per_example())) {}

Stepper::Result Stepper::step(int64_t step, GradientObserver* gradients, StepObserver* inside) {
  const double progress = static_cast<double>(step) / static_cast<double>(steps_);
  Result result;
  result.loss = accumulate_gradients(step, progress, gradients, inside);
  if (!std::isfinite(result.loss)) return result;
  {
    torch::NoGradGuard no_grad;
    flat_.gradients().copy_(accumulated_).div_(static_cast<double>(microbatches()));
  }
  const double rate = learning_rate(config_, step, steps_);
  if (inside) inside->before_update(flat_.gradients().norm().item<double>());
  result.gradient_norm = optimizer_.step(flat_, rate);
  objective_->after_step(step + 1, steps_);
  update_averages(step + 1);
  if (inside) inside->after_update(rate, averaging_weight(config_, step + 1, steps_));
  return result;
}

/// accumulated_ = Σ_j g_j over the step's microbatches; returns the mean loss.
double Stepper::accumulate_gradients(int64_t step, double progress, GradientObserver* gradients,
                                     StepObserver* inside) {
  using Clock = std::chrono::steady_clock;
  const Draw draw = Draw::from(stream_.child("draws").child(static_cast<uint64_t>(step)), progress);
  const auto ids = ids_of_step(stream_.child("order"), data_.size(), config_.batch, step);
  const std::span<float> sum(accumulated_.data_ptr<float>(),
                             static_cast<size_t>(accumulated_.numel()));
  std::vector<double> norms(flat_.groups().size());
  double loss_sum = 0;
  accumulated_.zero_();
  for (int64_t j = 0; j < microbatches(); ++j) {
    const auto fetch_started = Clock::now();
    const Batch batch = data_.get(std::span(ids).subspan(
        static_cast<size_t>(j * config_.microbatch), static_cast<size_t>(config_.microbatch)));
    data_seconds_ += std::chrono::duration<double>(Clock::now() - fetch_started).count();
    const LossMap map = objective_->losses(batch, draw);
    if (inside) inside->losses(*objective_, map, progress, 1 / static_cast<double>(microbatches()));
    const Tensor loss = training_loss(*objective_, map, progress);
    flat_.accumulate(loss, layout_, sum, norms);
    loss_sum += loss.item<double>();
    // A gradient that is not finite ends the trial after this step; observers never see it.
    if (gradients && std::isfinite(loss_sum + norms[0] + norms[1]))
      gradients->microbatch(step, norms);
  }
  if (gradients) {
    squared_norms(sum, {}, layout_, norms);
    if (std::isfinite(loss_sum + norms[0] + norms[1])) gradients->batch(step, norms);
  }
  return loss_sum / static_cast<double>(microbatches());
}

void Stepper::update_averages(int64_t done) {
  torch::NoGradGuard no_grad;
  averaged_.lerp_(flat_.values(), averaging_weight(config_, done, steps_));
}

Subject::State Stepper::state(int64_t step) const {
  Subject::State state;
  state.live = flat_.values().clone();
  state.averaged = averaged_.clone();
  state.first_moments = optimizer_.first_moments().clone();
  state.raw_second_moments = optimizer_.second_moments().clone();
  for (const auto& [name, tensor] : objective_->state())
    state.objective.emplace_back(name, tensor.detach().clone());
  state.step = step;
  state.train = config_;
  state.steps = steps_;
  return state;
}

void Stepper::restore(const Subject::State& state) {
  torch::NoGradGuard no_grad;
  const auto copy = [](Tensor into, const Tensor& from) {
    if (from.defined())
      into.copy_(from);
    else
      into.zero_();
  };
  copy(flat_.values(), state.live);
  copy(averaged_, state.averaged);
  copy(optimizer_.first_moments(), state.first_moments);
  copy(optimizer_.second_moments(), state.raw_second_moments);
  optimizer_.restore(state.step);
  const auto own = objective_->state();
  for (size_t i = 0; i < own.size() && i < state.objective.size(); ++i)
    copy(own[i].second, state.objective[i].second);
}

}  // namespace assay
