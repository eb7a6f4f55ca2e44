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
      seed_(seed) {}

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
