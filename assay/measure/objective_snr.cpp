// Meter: signal, data noise and objective noise of the gradient (the noise view).
#include "assay/tensor/torch.h"

#include <fmt/format.h>

#include <cmath>

#include "assay/measure/estimate_record.h"
#include "assay/measure/meter.h"
#include "assay/measure/objective_gradients.h"
#include "assay/noise/noise.h"
#include "assay/stats/noise_view.h"

namespace assay {
namespace {

constexpr int64_t kFewestUnits = 8;  // measure_noise needs 5; below 8 intervals say nothing
constexpr int64_t kCoupledCost = 3;  // examples that a coupled objective may take, over the others'

struct SnrOptions {
  bool heldout = false;
  int64_t units = 64, examples_per_unit = 4, draws = 2, level_units = 32, band_units = 32;
  int64_t max_memory_mb = 512;
  std::vector<std::string> weights;
};

/// What one call of measure_noise() is about.
struct Aspect {
  std::string label;  // "level" or "band"; empty = the whole loss
  std::optional<int> level;
  bool by_part = false;
  int64_t units = 0;
  std::string note;
};

class ObjectiveSnr : public Meter {
 public:
  explicit ObjectiveSnr(SnrOptions options) : options_(std::move(options)), plan_(options_) {}

  std::vector<Measurement> measure(Subject& subject) override;
  std::vector<std::string> notes(const Dataset&) const override {
    return {fmt::format("objective_snr: gradients of {} examples",
                        plan_.heldout ? "held-out" : "training")};
  }

 private:
  const Dataset& data(Subject& subject) const {
    return plan_.heldout ? subject.heldout() : subject.train();
  }
  std::vector<Aspect> aspects(const ObjectiveGradients& source, Weights weights) const;
  /// Fewer units where memory or the data do not suffice; the aspect's note says so.
  void fit(Aspect& aspect, const ObjectiveGradients& source, int64_t examples) const;
  void run(Subject& subject, ObjectiveGradients& source, Weights weights, const Aspect& aspect,
           std::vector<Measurement>& out) const;
  void add_records(const Subject& subject, const NoiseRow& row,
                   const std::map<std::string, std::string>& labels, const Aspect& aspect,
                   double flops_per_example, std::vector<Measurement>& out) const;

  /// A coupled objective is measured in units of the training batch: a smaller one is another
  /// objective.
  void set_plan(const Subject& subject, bool coupled);

  SnrOptions options_, plan_;
};

std::vector<Aspect> ObjectiveSnr::aspects(const ObjectiveGradients& source, Weights weights) const {
  std::vector<Aspect> all = {{"", std::nullopt, false, plan_.units, ""}};
  if (weights != Weights::averaged) return all;
  if (plan_.level_units > 0 && source.level_bins() > 1)
    for (int bin = 0; bin < source.level_bins(); ++bin)
      all.push_back({"level", bin, false, plan_.level_units, ""});
  if (plan_.band_units > 0 && source.parts().size() > 1)
    all.push_back({"band", std::nullopt, true, plan_.band_units, ""});
  return all;
}

void ObjectiveSnr::fit(Aspect& aspect, const ObjectiveGradients& source, int64_t examples) const {
  const int64_t wanted = aspect.units;
  const auto parts = aspect.by_part ? static_cast<int64_t>(source.parts().size()) : 1;
  const int64_t row = source.size() * parts * static_cast<int64_t>(sizeof(float));
  const int64_t by_memory = plan_.max_memory_mb * (1 << 20) / row - 2;  // two rows of scratch
  const int64_t by_data = examples / plan_.examples_per_unit;
  aspect.units = std::min({wanted, by_memory, by_data});
  if (aspect.units < kFewestUnits)
    throw Error("measure.too_few_units",
                fmt::format("objective_snr needs {} units of {} examples, but max_memory_mb = {} "
                            "allows {} and the data {}",
                            kFewestUnits, plan_.examples_per_unit, plan_.max_memory_mb,
                            std::max<int64_t>(0, by_memory), by_data),
                "raise max_memory_mb, lower examples_per_unit, or set band_units = 0");
  if (aspect.units < wanted)
    aspect.note = fmt::format("{} units instead of {}: {}", aspect.units, wanted,
                              by_memory < by_data ? "max_memory_mb" : "the data holds no more");
}

/// 1/(√v + ε): the metric in which AdamW's step is steepest descent. [P]
Tensor adam_weight(const Subject::State& state) {
  return (state.second_moments.sqrt() + state.epsilon).reciprocal().contiguous();
}

std::vector<Measurement> dead_parameters(Subject& subject) {
  std::vector<Measurement> out;
  const Subject::State& state = subject.state();
  const Tensor dead = state.second_moments.sqrt().le(state.epsilon);
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

void ObjectiveSnr::run(Subject& subject, ObjectiveGradients& source, Weights weights,
                       const Aspect& aspect, std::vector<Measurement>& out) const {
  const Subject::State& state = subject.state();
  const Dataset& examples = data(subject);
  // The same examples and draws for both sets of weights: their difference is not one of luck.
  const Seed seed = subject.seed().child("objective_snr").child(static_cast<uint64_t>(state.step));
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < aspect.units * plan_.examples_per_unit; ++i)
    ids.push_back(permuted(seed.child("examples"), examples.size(), i));
  std::vector<DiagonalMetric> metrics;
  Tensor weight;
  if (aspect.label.empty() && state.second_moments.defined()) {
    weight = adam_weight(state);
    metrics.push_back({"adam", {weight.data_ptr<float>(), static_cast<size_t>(weight.numel())}});
  }
  const NoisePlan plan{.units = aspect.units,
                       .examples_per_unit = plan_.examples_per_unit,
                       .draws = plan_.draws,
                       .level_bin = aspect.level,
                       .by_part = aspect.by_part};
  Seed draws = seed.child("draws");
  if (aspect.level) draws = draws.child(static_cast<uint64_t>(*aspect.level));
  const NoiseView view = measure_noise(source, ids, plan, draws, state.fraction, metrics);
  // A retained forward pass and one backward (2/3 of a training pass) for each part.
  const double passes =
      aspect.by_part ? (1 + 2 * static_cast<double>(source.parts().size())) / 3 : 1;
  subject.flops_spent +=
      static_cast<double>(view.example_gradients) * source.flops_per_example() * passes;

  for (const NoiseRow& row : view.rows) {
    const bool of_whole_model = row.group == "trunk" || row.group == "head";
    if (!aspect.label.empty() && !of_whole_model) continue;
    if (aspect.by_part && row.part.empty()) continue;
    std::map<std::string, std::string> labels = {
        {"group", row.group}, {"metric", row.metric}, {"weights", to_string(weights)}};
    if (aspect.level) labels["level"] = fmt::format("{}", *aspect.level);
    if (aspect.by_part) labels["band"] = row.part;
    add_records(subject, row, labels, aspect, source.flops_per_example(), out);
  }
}

void ObjectiveSnr::add_records(const Subject& subject, const NoiseRow& row,
                               const std::map<std::string, std::string>& labels,
                               const Aspect& aspect, double flops_per_example,
                               std::vector<Measurement>& out) const {
  const auto add = [&](const std::string& quantity, const std::string& unit, Estimate estimate,
                       const std::string& interval, double scale = 1) {
    Measurement m = subject.measurement("objective_snr", quantity, unit);
    m.labels = labels;
    m.method = fmt::format("nested analysis of variance, {} units of {} examples × {} draws; {}",
                           aspect.units, plan_.examples_per_unit, plan_.draws, interval);
    m.note = aspect.note;
    estimate.value *= scale;
    estimate.low *= scale;
    estimate.high *= scale;
    estimate.n = aspect.units * plan_.examples_per_unit;
    out.push_back(with_estimate(std::move(m), estimate));
  };
  const std::string corrected = "t, delete-one-unit jackknife less its degenerate part";
  const std::string plain = "t, delete-one-unit jackknife";
  const std::string squared = row.metric == "euclidean" ? "squared gradient" : "g²/(√v + ε)";
  const NoiseEstimate& e = row.estimate;
  add("signal", squared, e.signal, corrected);
  add("data_variance", squared, e.trace_data, plain);
  add("objective_variance", squared, e.trace_objective, plain);
  add("total_variance", squared, e.trace_total, plain);
  add("objective_share", "1", e.objective_share, plain);
  add("snr_per_example", "1", e.snr_per_example, corrected);
  add("snr_per_gflop", "1/GFLOP", e.snr_per_example, corrected, 1e9 / flops_per_example);
  add("effective_dimension", "1", e.effective_dimension, plain);
}

void ObjectiveSnr::set_plan(const Subject& subject, bool coupled) {
  plan_ = options_;
  if (!coupled) return;
  plan_.examples_per_unit = subject.state().batch;
  const int64_t affordable =
      kCoupledCost * options_.units * options_.examples_per_unit / plan_.examples_per_unit;
  plan_.units = std::clamp(affordable, kFewestUnits, options_.units);
  plan_.level_units = plan_.band_units = 0;
}

std::vector<Measurement> ObjectiveSnr::measure(Subject& subject) {
  set_plan(subject, subject.objective().coupled());
  ObjectiveGradients source(subject.objective(), subject.parameters(), data(subject));
  subject.objective().train();
  std::vector<Measurement> out;
  for (const std::string& name : plan_.weights) {
    const Weights weights = name == "live" ? Weights::live : Weights::averaged;
    subject.load(weights);
    for (Aspect& aspect : aspects(source, weights)) {
      fit(aspect, source, data(subject).size());
      run(subject, source, weights, aspect, out);
    }
  }
  if (subject.state().second_moments.defined()) {
    auto dead = dead_parameters(subject);
    out.insert(out.end(), dead.begin(), dead.end());
  }
  return out;
}

std::vector<Option> snr_options() {
  using namespace declare;
  return {choice("source", "train", {"train", "heldout"},
                 "whose gradients: train is what training sees"),
          integer("units", 64, at_least(kFewestUnits), "units behind the whole loss"),
          integer("examples_per_unit", 4, at_least(1), "examples to a unit"),
          integer("draws", 2, at_least(2), "draws of the objective's randomness per example"),
          integer("level_units", 32, at_least(0), "units per noise level; 0 = not by level"),
          integer("band_units", 32, at_least(0), "units for all bands; 0 = not by band"),
          texts("weights", std::vector<std::string>{"averaged", "live"},
                "averaged, live or both; levels and bands are measured at averaged weights"),
          integer("max_memory_mb", 512, at_least(1),
                  "for gradients, in MiB: fewer units where it does not suffice")};
}

std::unique_ptr<Meter> make_objective_snr(const Options& options) {
  SnrOptions out;
  out.heldout = options.text("source") == "heldout";
  out.units = options.integer("units");
  out.examples_per_unit = options.integer("examples_per_unit");
  out.draws = options.integer("draws");
  out.level_units = options.integer("level_units");
  out.band_units = options.integer("band_units");
  out.max_memory_mb = options.integer("max_memory_mb");
  for (const std::string name : {"level_units", "band_units"})
    if (const int64_t units = options.integer(name); units > 0 && units < kFewestUnits)
      throw options.error(name, "config.range",
                          fmt::format("`{}` must be 0 or at least {}", name, kFewestUnits));
  out.weights = options.texts("weights");
  for (const char* name : {"level_units", "band_units"})
    if (const int64_t units = options.integer(name); units > 0 && units < kFewestUnits)
      throw options.error(
          name, "config.range",
          fmt::format("`{}` must be 0 or at least {}, got {}", name, kFewestUnits, units),
          "fewer units give no interval; 0 leaves this resolution out");
  for (const std::string& name : out.weights)
    if (name != "averaged" && name != "live")
      throw options.error("weights", "config.choice", fmt::format("unknown weights `{}`", name),
                          suggest(name, {"averaged", "live"}));
  return std::make_unique<ObjectiveSnr>(std::move(out));
}

}  // namespace

namespace meters {

MeterEntry objective_snr() {
  return {"objective_snr", "signal, data noise and objective noise of the gradient, with intervals",
          snr_options(), make_objective_snr};
}

}  // namespace meters
}  // namespace assay
