// Meter: what the objective asks for (the demand view).
#include "assay/tensor/torch.h"

#include <fmt/format.h>

#include "assay/measure/demand/conditional.h"
#include "assay/measure/demand/target_records.h"
#include "assay/measure/meter.h"

namespace assay {
namespace {

class Demand : public Meter {
 public:
  Demand(const demand::TargetPlan& targets, const demand::ConditionalPlan& gradients,
         std::vector<Weights> weights)
      : targets_(targets), gradients_(gradients), weights_(std::move(weights)) {}

  std::vector<Measurement> measure(Subject& subject) override {
    std::vector<Measurement> out;
    const auto append = [&](const std::vector<Measurement>& more) {
      out.insert(out.end(), more.begin(), more.end());
    };
    for (const Weights weights : weights_) {
      subject.load(weights);
      const demand::TargetLosses losses =
          demand::target_losses(subject, subject.train(), subject.heldout(), targets_);
      append(demand::target_records(subject, subject.objective(), weights, losses, targets_));
      if (gradients_.units == 0) continue;
      subject.load(weights);  // a loss may have moved a teacher's statistics
      append(demand::conditional_records(subject, weights, gradients_));
    }
    return out;
  }

 private:
  demand::TargetPlan targets_;
  demand::ConditionalPlan gradients_;
  std::vector<Weights> weights_;
};

std::vector<Option> demand_options() {
  using namespace declare;
  return {
      integer("fit", 2048, at_least(16), "training examples behind the null predictor"),
      integer("score", 1024, at_least(2), "held-out examples that it is scored on"),
      integer("draws", 1, at_least(1), "draws of the objective's randomness per scored example"),
      integer("units", 64, at_least(0),
              "units behind the conditional signal; 0 = no shuffled targets"),
      integer("examples_per_unit", 4, at_least(2),
              "examples to a unit, among which targets are shuffled"),
      integer("unit_draws", 2, at_least(2), "draws per example of a unit"),
      texts("weights", std::vector<std::string>{"averaged"}, "averaged, live or both"),
      integer("max_memory_mb", 512, at_least(1),
              "for gradients, in MiB: fewer units where it does not suffice")};
}

std::unique_ptr<Meter> make_demand(const Options& options) {
  const demand::TargetPlan targets{options.integer("fit"), options.integer("score"),
                                   options.integer("draws")};
  const demand::ConditionalPlan gradients{
      options.integer("units"), options.integer("examples_per_unit"), options.integer("unit_draws"),
      options.integer("max_memory_mb")};
  if (gradients.units > 0 && gradients.units < 8)
    throw options.error("units", "config.range",
                        fmt::format("`units` must be 0 or at least 8, got {}", gradients.units),
                        "fewer units give no interval; 0 leaves shuffled targets out");
  std::vector<Weights> weights;
  for (const std::string& name : options.texts("weights")) {
    if (name != "averaged" && name != "live")
      throw options.error("weights", "config.choice", fmt::format("unknown weights `{}`", name),
                          suggest(name, {"averaged", "live"}));
    weights.push_back(name == "live" ? Weights::live : Weights::averaged);
  }
  return std::make_unique<Demand>(targets, gradients, std::move(weights));
}

}  // namespace

namespace meters {

MeterEntry demand() {
  MeterEntry entry{"demand",
                   "target SNR against a null predictor, by term, noise level and band, and the "
                   "gradient's signal that shuffled targets take away",
                   demand_options(), make_demand};
  entry.by_default = false;
  return entry;
}

}  // namespace meters
}  // namespace assay
