// What a meter sees of a trial at a checkpoint.
#include "assay/train/subject.h"

#include <cmath>

namespace assay {

std::string to_string(Weights weights) {
  switch (weights) {
    case Weights::averaged:
      return "averaged";
    case Weights::live:
      return "live";
    case Weights::initial:
      return "initial";
  }
  return {};
}

void Subject::State::set_run(const TrainConfig& config, int64_t run_steps) {
  train = config;
  steps = run_steps;
  // Before 1% of a run the moments are a handful of steps, and g / √v divides by nearly nothing.
  // v / (1 − β₂^t) estimates E g² (Kingma & Ba 2015, section 3).
  if (step >= std::max<int64_t>(1, steps / 100))
    second_moments = raw_second_moments / (1 - std::pow(config.beta2, static_cast<double>(step)));
}

Subject::Subject(std::function<std::shared_ptr<Objective>()> make, State state,
                 const Dataset& train, const Dataset& heldout, Seed seed)
    : make_(std::move(make)),
      objective_(make_()),
      flat_(std::make_unique<FlatParameters>(*objective_)),
      initial_(flat_->values().clone()),
      state_(std::move(state)),
      train_(train),
      heldout_(heldout),
      seed_(seed) {
  for (const auto& [name, tensor] : objective_->state())
    initial_state_.push_back(tensor.detach().clone());
}

void Subject::load(Weights weights) {
  torch::NoGradGuard no_grad;
  switch (weights) {
    case Weights::averaged:
      flat_->values().copy_(state_.averaged);
      break;
    case Weights::live:
      flat_->values().copy_(state_.live);
      break;
    case Weights::initial:
      flat_->values().copy_(initial_);
      break;
  }
  // Teachers stand still while a trial is measured.
  const auto state = objective_->state();
  for (size_t i = 0; i < state.size(); ++i) {
    Tensor into = state[i].second;
    into.copy_(weights == Weights::initial || state_.objective.empty()
                   ? initial_state_[i]
                   : state_.objective[i].second);
  }
}

Measurement Subject::measurement(std::string meter, std::string quantity, std::string unit) const {
  Measurement m;
  m.meter = std::move(meter);
  m.quantity = std::move(quantity);
  m.unit = std::move(unit);
  m.step = state_.step;
  m.fraction = state_.fraction;
  m.flops = state_.ledger.training_flops;
  return m;
}

}  // namespace assay
