// Meter: bits about each factor that readouts recover from the frozen trunk.
#include "assay/tensor/torch.h"

#include <fmt/format.h>

#include "assay/core/hash.h"
#include "assay/measure/meter.h"
#include "assay/measure/probe/features.h"
#include "assay/measure/probe/report.h"
#include "assay/measure/probe/task.h"

namespace assay {
namespace {

struct ProbeOptions {
  probe::SplitSizes split;
  std::vector<std::string> factors;  // empty = all
  std::vector<std::string> readouts;
  probe::FeatureOptions features;
  probe::AttentiveOptions attentive;
};

class Probe : public Meter {
 public:
  explicit Probe(ProbeOptions options) : options_(std::move(options)) {}

  std::vector<Measurement> measure(Subject& subject) override;
  std::vector<std::string> notes(const Dataset& heldout) const override;

 private:
  /// Of one data set: ids, labels, and what readouts get from the raw input.
  struct Baseline {
    std::string key;
    std::optional<probe::ProbeData> data;
    probe::Readouts raw_input, random_init;
    double flops = 0;
  };

  bool wants(const std::string& readout) const {
    return std::find(options_.readouts.begin(), options_.readouts.end(), readout) !=
           options_.readouts.end();
  }
  probe::Readouts read(const probe::Features& features, const probe::Task& task,
                       double& flops) const;
  void prepare_baseline(Subject& subject);

  ProbeOptions options_;
  Baseline baseline_;  // a cache: what it holds is a function of the data and the initial weights
};

std::vector<std::string> Probe::notes(const Dataset& heldout) const {
  const DatasetInfo& info = heldout.info();
  std::vector<std::string> notes;
  if (info.factors.empty()) {
    notes.push_back("probe: the data names no factors, so nothing is probed");
    return notes;
  }
  if (probe::chosen_factors(info, options_.factors).empty())
    notes.push_back("probe: the data has none of the factors asked for, so nothing is probed");
  if (const auto split = probe::fitted_split(heldout, options_.split);
      split.train < options_.split.train)
    notes.push_back(fmt::format(
        "probe: {} held-out examples are fewer than asked for, so readouts are fitted on {}, "
        "chosen with {} and tested on {}",
        heldout.size(), split.train, split.validation, split.test));
  return notes;
}

probe::Readouts Probe::read(const probe::Features& features, const probe::Task& task,
                            double& flops) const {
  probe::Readouts readouts;
  if (wants("linear")) readouts["linear"] = probe::linear_readout(features.pooled, task, {});
  if (wants("attentive"))
    readouts["attentive"] = probe::attentive_readout(features.tokens, task, options_.attentive,
                                                     probe::kStream.child("attentive"));
  flops += features.flops;
  for (const auto& [name, readout] : readouts) flops += readout.flops;
  return readouts;
}

void Probe::prepare_baseline(Subject& subject) {
  const Dataset& heldout = subject.heldout();
  subject.load(Weights::initial);
  const Tensor initial = subject.parameters().values().contiguous();
  const std::string key =
      fmt::format("{} {} {}", heldout.info().hash, heldout.size(),
                  hash_text({static_cast<const char*>(initial.data_ptr()), initial.nbytes()}));
  if (baseline_.key == key) return;
  Baseline fresh;
  fresh.key = key;
  fresh.data = probe::probe_data(heldout, options_.split, options_.factors);
  const auto& [factors, ids, task] = *fresh.data;
  Objective& objective = subject.objective();
  fresh.random_init =
      read(probe::trunk_features(objective, heldout, ids, task.train, options_.features), task,
           fresh.flops);
  torch::NoGradGuard no_grad;
  const int64_t tokens = objective.features(heldout.get(std::span(ids).first(1))).front().size(1);
  fresh.raw_input = read(probe::raw_features(heldout, ids, task.train, tokens, options_.features),
                         task, fresh.flops);
  baseline_ = std::move(fresh);
}

std::vector<Measurement> Probe::measure(Subject& subject) {
  if (probe::chosen_factors(subject.heldout().info(), options_.factors).empty()) return {};
  prepare_baseline(subject);
  subject.load(Weights::averaged);
  const auto& [factors, ids, task] = *baseline_.data;
  double flops = 0;
  probe::Readings readings;
  readings.trained = read(probe::trunk_features(subject.objective(), subject.heldout(), ids,
                                                task.train, options_.features),
                          task, flops);
  readings.random_init = baseline_.random_init;
  readings.raw_input = baseline_.raw_input;
  // Baselines are charged where a run starts, whether or not they come from the cache: what the
  // ledger says must not depend on how often the process was killed.
  subject.flops_spent += flops + (subject.state().step == 0 ? baseline_.flops : 0);
  return probe::measurements(subject, factors, readings);
}

std::vector<Option> probe_options() {
  using namespace declare;
  return {
      integer("train", 2000, at_least(20), "held-out examples that readouts are fitted on"),
      integer("validation", 500, at_least(10),
              "held-out examples that choose layer, ridge and stopping step"),
      integer("test", 1500, at_least(10), "held-out examples that bits are measured on"),
      any("factors", "a list of names of factors to read; absent or \"all\" = every factor"),
      texts("readouts", std::vector<std::string>{"linear", "attentive"},
            "linear: softmax regression on features pooled over tokens; attentive: learned "
            "queries over tokens"),
      integer("dimension", 128, closed(2, 4096),
              "common dimension of pooled features: principal components above it"),
      integer("token_dimension", 64, closed(2, 1024), "common dimension of tokens"),
      integer("queries", 4, closed(1, 64), "learned queries per factor of the attentive readout"),
      integer("attentive_steps", 400, at_least(1), "steps of Adam of the attentive readout"),
      integer("attentive_batch", 128, at_least(1), "examples per step of the attentive readout"),
      real("attentive_learning_rate", 0.01, above(0),
           "of the attentive readout, falling to 0 by a cosine")};
}

ProbeOptions read_options(const Options& options) {
  ProbeOptions out;
  out.split.train = options.integer("train");
  out.split.validation = options.integer("validation");
  out.split.test = options.integer("test");
  out.factors = probe::read_factors(options);
  out.readouts = options.texts("readouts");
  for (const std::string& name : out.readouts)
    if (name != "linear" && name != "attentive")
      throw options.error("readouts", "config.choice", fmt::format("unknown readout `{}`", name),
                          suggest(name, {"linear", "attentive"}));
  out.features.dimension = options.integer("dimension");
  out.features.token_dimension = options.integer("token_dimension");
  out.features.tokens =
      std::find(out.readouts.begin(), out.readouts.end(), "attentive") != out.readouts.end();
  out.attentive.queries = options.integer("queries");
  out.attentive.steps = options.integer("attentive_steps");
  out.attentive.batch = options.integer("attentive_batch");
  out.attentive.learning_rate = options.real("attentive_learning_rate");
  return out;
}

}  // namespace

namespace meters {

MeterEntry probe() {
  return {"probe",
          "bits about each factor that linear and attentive readouts recover from the frozen trunk",
          probe_options(), [](const Options& options) -> std::unique_ptr<Meter> {
            return std::make_unique<Probe>(read_options(options));
          }};
}

}  // namespace meters
}  // namespace assay
