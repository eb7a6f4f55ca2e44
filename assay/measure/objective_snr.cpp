// Meter: signal, data noise and objective noise of the gradient (the noise view).
#include "assay/tensor/torch.h"

#include <fmt/format.h>

#include "assay/measure/meter.h"
#include "assay/measure/snr_measurement.h"

namespace assay {
namespace {

class ObjectiveSnr : public Meter {
 public:
  ObjectiveSnr(const SnrPlan& plan, std::vector<Weights> weights)
      : plan_(plan), weights_(std::move(weights)) {}

  std::vector<Measurement> measure(Subject& subject) override;
  std::vector<std::string> notes(const Dataset&) const override {
    return {fmt::format("objective_snr: gradients of {} examples",
                        plan_.heldout ? "held-out" : "training")};
  }

 private:
  SnrPlan plan_;
  std::vector<Weights> weights_;
};

std::vector<Measurement> dead_parameters(Subject& subject) {
  std::vector<Measurement> out;
  const Subject::State& state = subject.state();
  const Tensor second = state.second_moments();
  if (!second.defined()) return out;
  const Tensor dead = second.sqrt().le(state.train.epsilon);
  for (const Group& group : subject.parameters().groups()) {
    if (group.name != "trunk" && group.name != "head") continue;
    Measurement m = subject.measurement("objective_snr", "dead_parameter_share", "1");
    m.labels = {{"group", group.name}, {"metric", "adam"}};
    m.value = dead.slice(0, group.begin, group.end).to(torch::kFloat64).mean().item<double>();
    m.n = group.end - group.begin;
    m.method = "share of parameters with √v <= ε: they dominate the Adam metric";
    out.push_back(std::move(m));
  }
  return out;
}

std::vector<Measurement> ObjectiveSnr::measure(Subject& subject) {
  SnrMeasurement measurement(subject, plan_);
  std::vector<Measurement> out;
  for (const Weights weights : weights_) {
    for (const SnrAspect& aspect : measurement.aspects()) {
      if (weights != Weights::averaged && !aspect.label.empty()) continue;
      const SnrResult result = measurement.measure(weights, aspect);
      out.insert(out.end(), result.records.begin(), result.records.end());
    }
  }
  const auto dead = dead_parameters(subject);
  out.insert(out.end(), dead.begin(), dead.end());
  return out;
}

std::vector<Option> snr_options() {
  using namespace declare;
  return {choice("source", "train", {"train", "heldout"},
                 "whose gradients: train is what training sees"),
          integer("units", 64, at_least(SnrPlan::kFewestUnits), "units behind the whole loss"),
          integer("examples_per_unit", 4, at_least(1), "examples to a unit"),
          integer("draws", 2, at_least(2), "draws of the objective's randomness per example"),
          integer("patterns", 1, at_least(1),
                  "noises or masks for each draw's level, of the whole loss; from 2 on the "
                  "objective's variance is split into level and pattern"),
          integer("level_units", 32, at_least(0), "units per noise level; 0 = not by level"),
          integer("band_units", 32, at_least(0), "units for all bands; 0 = not by band"),
          integer("aligned_units", 0, at_least(0),
                  "units for all levels on the same examples, one draw each: how their gradients "
                  "stand to each other; 0 = not"),
          integer("function_units", 0, at_least(0),
                  "units for gradients as motion of the features of held-out inputs; 0 = not"),
          texts("weights", std::vector<std::string>{"averaged", "live"},
                "averaged, live or both; levels and bands are measured at averaged weights"),
          integer("max_memory_mb", 512, at_least(1),
                  "for gradients, in MiB: fewer units where it does not suffice")};
}

std::unique_ptr<Meter> make_objective_snr(const Options& options) {
  SnrPlan out;
  out.heldout = options.text("source") == "heldout";
  out.units = options.integer("units");
  out.examples_per_unit = options.integer("examples_per_unit");
  out.draws = options.integer("draws");
  out.patterns = options.integer("patterns");
  out.level_units = options.integer("level_units");
  out.band_units = options.integer("band_units");
  out.aligned_units = options.integer("aligned_units");
  out.function_units = options.integer("function_units");
  out.max_memory_mb = options.integer("max_memory_mb");
  for (const char* name : {"level_units", "band_units", "aligned_units", "function_units"})
    if (const int64_t units = options.integer(name); units > 0 && units < SnrPlan::kFewestUnits)
      throw options.error(
          name, "config.range",
          fmt::format("`{}` must be 0 or at least {}, got {}", name, SnrPlan::kFewestUnits, units),
          "fewer units give no interval; 0 leaves this resolution out");
  std::vector<Weights> weights;
  for (const std::string& name : options.texts("weights")) {
    if (name != "averaged" && name != "live")
      throw options.error("weights", "config.choice", fmt::format("unknown weights `{}`", name),
                          suggest(name, {"averaged", "live"}));
    weights.push_back(name == "live" ? Weights::live : Weights::averaged);
  }
  return std::make_unique<ObjectiveSnr>(out, std::move(weights));
}

}  // namespace

namespace meters {

MeterEntry objective_snr() {
  return {"objective_snr", "signal, data noise and objective noise of the gradient, with intervals",
          snr_options(), make_objective_snr};
}

}  // namespace meters
}  // namespace assay
