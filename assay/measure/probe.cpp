// Meter: bits about each factor that readouts recover from the frozen trunk.
#include "assay/tensor/torch.h"

#include <fmt/format.h>

#include <array>

#include "assay/core/hash.h"
#include "assay/measure/meter.h"
#include "assay/measure/probe/features.h"
#include "assay/measure/probe/report.h"
#include "assay/noise/noise.h"

namespace assay {
namespace {

// Splits and starts of readouts are fixed by the data, not by the trial: every objective and every
// checkpoint is read with the same examples.
const Seed kStream = Seed(0).child("probe");
constexpr int64_t kFewest = 50;  // examples of the held-out split, all three parts together

struct ProbeOptions {
  int64_t train, validation, test;
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
    std::vector<Factor> factors;
    std::vector<int64_t> ids, chosen;  // chosen = columns of Batch::labels
    std::optional<probe::Task> task;
    probe::Readouts raw_input, random_init;
    double flops = 0;
  };

  bool wants(const std::string& readout) const {
    return std::find(options_.readouts.begin(), options_.readouts.end(), readout) !=
           options_.readouts.end();
  }
  std::vector<int64_t> chosen_factors(const DatasetInfo& info) const;
  std::array<int64_t, 3> split(const Dataset& heldout) const;
  probe::Task make_task(const Dataset& heldout, const Baseline& baseline) const;
  probe::Readouts read(const probe::Features& features, const probe::Task& task,
                       double& flops) const;
  void prepare_baseline(Subject& subject);

  ProbeOptions options_;
  Baseline baseline_;  // a cache: what it holds is a function of the data and the initial weights
};

std::vector<int64_t> Probe::chosen_factors(const DatasetInfo& info) const {
  const auto& wanted = options_.factors;
  std::vector<int64_t> chosen;
  for (size_t k = 0; k < info.factors.size(); ++k)
    if (wanted.empty() ||
        std::find(wanted.begin(), wanted.end(), info.factors[k].name) != wanted.end())
      chosen.push_back(static_cast<int64_t>(k));
  return chosen;
}

/// Sizes of the three parts; smaller in proportion where the held-out split is smaller.
std::array<int64_t, 3> Probe::split(const Dataset& heldout) const {
  const std::array<int64_t, 3> wanted = {options_.train, options_.validation, options_.test};
  const int64_t total = wanted[0] + wanted[1] + wanted[2];
  const int64_t size = heldout.size();
  if (size >= total) return wanted;
  const std::array<int64_t, 3> fitted = {wanted[0] * size / total, wanted[1] * size / total,
                                         wanted[2] * size / total};
  if (size < kFewest || *std::min_element(fitted.begin(), fitted.end()) < 2)
    throw Error(
        "data.too_few_examples",
        fmt::format("the probe needs at least {} held-out examples, there are {}", kFewest, size),
        "hold out more examples, or leave the probe out: `probe = false` in [measure]");
  return fitted;
}

std::vector<std::string> Probe::notes(const Dataset& heldout) const {
  const DatasetInfo& info = heldout.info();
  std::vector<std::string> notes;
  if (info.factors.empty()) {
    notes.push_back("probe: the data names no factors, so nothing is probed");
    return notes;
  }
  if (chosen_factors(info).empty())
    notes.push_back("probe: the data has none of the factors asked for, so nothing is probed");
  if (const auto parts = split(heldout); parts[0] < options_.train)
    notes.push_back(fmt::format(
        "probe: {} held-out examples are fewer than asked for, so readouts are fitted on {}, "
        "chosen with {} and tested on {}",
        heldout.size(), parts[0], parts[1], parts[2]));
  return notes;
}

probe::Task Probe::make_task(const Dataset& heldout, const Baseline& baseline) const {
  const auto parts = split(heldout);
  std::vector<int64_t> cardinality;
  std::vector<std::string> names;
  for (const Factor& factor : baseline.factors) {
    cardinality.push_back(factor.cardinality);
    names.push_back(factor.name);
  }
  std::vector<Tensor> labels;
  const auto ids = std::span(baseline.ids);
  for (size_t at = 0; at < ids.size(); at += 250)
    labels.push_back(heldout.get(ids.subspan(at, std::min<size_t>(250, ids.size() - at))).labels);
  return {names,
          torch::cat(labels).index_select(1, torch::tensor(baseline.chosen)),
          probe::ClassBlocks(cardinality),
          parts[0],
          parts[1],
          parts[2]};
}

probe::Readouts Probe::read(const probe::Features& features, const probe::Task& task,
                            double& flops) const {
  probe::Readouts readouts;
  if (wants("linear")) readouts["linear"] = probe::linear_readout(features.pooled, task, {});
  if (wants("attentive"))
    readouts["attentive"] = probe::attentive_readout(features.tokens, task, options_.attentive,
                                                     kStream.child("attentive"));
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
  fresh.chosen = chosen_factors(heldout.info());
  for (const int64_t k : fresh.chosen)
    fresh.factors.push_back(heldout.info().factors[static_cast<size_t>(k)]);
  const auto parts = split(heldout);
  for (int64_t i = 0; i < parts[0] + parts[1] + parts[2]; ++i)
    fresh.ids.push_back(permuted(kStream.child("split"), heldout.size(), i));
  fresh.task = make_task(heldout, fresh);
  Objective& objective = subject.objective();
  fresh.random_init =
      read(probe::trunk_features(objective, heldout, fresh.ids, parts[0], options_.features),
           *fresh.task, fresh.flops);
  torch::NoGradGuard no_grad;
  const int64_t tokens =
      objective.features(heldout.get(std::span(fresh.ids).first(1))).front().size(1);
  fresh.raw_input =
      read(probe::raw_features(heldout, fresh.ids, parts[0], tokens, options_.features),
           *fresh.task, fresh.flops);
  baseline_ = std::move(fresh);
}

std::vector<Measurement> Probe::measure(Subject& subject) {
  if (chosen_factors(subject.heldout().info()).empty()) return {};
  prepare_baseline(subject);
  subject.load(Weights::averaged);
  const probe::Task& task = *baseline_.task;
  double flops = 0;
  probe::Readings readings;
  readings.trained = read(probe::trunk_features(subject.objective(), subject.heldout(),
                                                baseline_.ids, task.train, options_.features),
                          task, flops);
  readings.random_init = baseline_.random_init;
  readings.raw_input = baseline_.raw_input;
  // Baselines are charged where a run starts, whether or not they come from the cache: what the
  // ledger says must not depend on how often the process was killed.
  subject.flops_spent += flops + (subject.state().step == 0 ? baseline_.flops : 0);
  return probe::measurements(subject, baseline_.factors, readings);
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

/// Empty = every factor.
std::vector<std::string> read_factors(const Options& options) {
  if (!options.has("factors")) return {};
  const Node& given = options.node("factors");
  if (given.is_null() || (given.is_text() && given.text() == "all")) return {};
  if (given.is_text()) return {given.text()};
  std::vector<std::string> names;
  if (given.is_array())
    for (const Node& item : given.array())
      if (item.is_text()) names.push_back(item.text());
  if (names.empty() || names.size() != given.array().size())
    throw options.error("factors", "config.type",
                        fmt::format("`factors` must be names of factors, got {}", given.kind()),
                        "write \"all\", one name, or a list such as [\"shape\", \"hue\"]");
  return names;
}

ProbeOptions read_options(const Options& options) {
  ProbeOptions out;
  out.train = options.integer("train");
  out.validation = options.integer("validation");
  out.test = options.integer("test");
  out.factors = read_factors(options);
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
