// What a meter sees of a trial at a checkpoint.
#include "assay/train/subject.h"

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

Subject::Subject(std::function<std::shared_ptr<Objective>()> make, State state,
                 const Dataset& train, const Dataset& heldout, Seed seed)
    : objective_(make()),
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
