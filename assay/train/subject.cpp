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

Tensor Subject::State::second_moments() const {
  // Before 1% of a run the moments are a handful of steps, and g / √v divides by nearly nothing.
  // v / (1 − β₂^t) estimates E g² (Kingma & Ba 2015, section 3).
  if (!raw_second_moments.defined() || step < std::max<int64_t>(1, steps / 100)) return {};
  return raw_second_moments / (1 - std::pow(train.beta2, static_cast<double>(step)));
}

Subject::Subject(std::function<std::shared_ptr<Objective>()> make, State state,
                 const Dataset& train, const Dataset& heldout, Seed seed)
    : make_(std::move(make)),
      objective_(make_()),
      flat_(std::make_unique<FlatParameters>(*objective_)),
      state_(std::move(state)),
      train_(train),
      heldout_(heldout),
      seed_(seed) {}

void Subject::load(Weights weights) {
  torch::NoGradGuard no_grad;
  const auto into = objective_->state();
  if (weights == Weights::initial) {
    // Made anew rather than kept: no meter needs them for long.
    const std::shared_ptr<Objective> initial = make_();
    flat_->values().copy_(FlatParameters(*initial).values());
    const auto state = initial->state();
    for (size_t i = 0; i < into.size(); ++i) Tensor(into[i].second).copy_(state[i].second);
    return;
  }
  flat_->values().copy_(weights == Weights::live ? state_.live : state_.averaged);
  // Teachers stand still while a trial is measured.
  for (size_t i = 0; i < state_.objective.size(); ++i)
    Tensor(into[i].second).copy_(state_.objective[i].second);
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
