// A trial: the same bits whatever watches or interrupts it, and an outcome for every end.
#include "tests/train/fixture.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "assay/store/files.h"
#include "assay/train/checkpoint.h"

namespace assay {
namespace {

using namespace testing;

const std::vector<double> kFractions = {0, 0.5, 1};

struct Finished {
  Outcome outcome;
  std::string records, checkpoint;
};

Finished read(const TemporaryFolder& folder, const Outcome& outcome) {
  return {outcome, read_file(folder.path / "records.jsonl"),
          read_file(folder.path / "checkpoint.safetensors")};
}

Finished train(const TrainConfig& config, TrainerHooks hooks = {}, const Sines& data = Sines(),
               const std::vector<double>& fractions = kFractions,
               const std::string& preset = "denoise") {
  const TemporaryFolder folder;
  const Sines heldout(32);
  Trainer trainer([preset] { return small_objective(preset); }, config, data, heldout, fractions,
                  folder.path, hooks);
  return read(folder, trainer.run());
}

std::vector<nlohmann::json> lines_of(const std::string& records, const std::string& kind) {
  std::vector<nlohmann::json> out;
  std::istringstream in(records);
  for (std::string line; std::getline(in, line);)
    if (auto json = nlohmann::json::parse(line); json.at("kind") == kind) out.push_back(json);
  return out;
}

/// Does everything a meter could do to disturb training.
class Vandal : public CheckpointObserver {
 public:
  std::vector<Measurement> measure(Subject& subject) override {
    torch::rand({100});
    for (const Weights weights : {Weights::averaged, Weights::live, Weights::initial}) {
      subject.load(weights);
      const std::vector<int64_t> ids = {0, 1};
      training_loss(
          subject.objective(),
          subject.objective().losses(subject.heldout().get(ids), Draw::from(subject.seed(), 0)), 0)
          .backward();
    }
    torch::NoGradGuard no_grad;
    subject.parameters().values().fill_(7);
    subject.parameters().gradients().fill_(7);
    ++calls;
    return {};
  }
  int calls = 0;
};

class Counter : public GradientObserver {
 public:
  void microbatch(int64_t, std::span<const double> norms) override {
    ++microbatches;
    total += norms[0] + norms[1];
  }
  void batch(int64_t, std::span<const double>) override { ++batches; }
  int microbatches = 0, batches = 0;
  double total = 0;
};

// One objective without state, and those whose teachers, centres and likelihoods have some.
class StatefulTrainer : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Presets, StatefulTrainer,
                         ::testing::Values("denoise", "jepa", "dino", "vae"),
                         [](const auto& parameter) { return parameter.param; });

TEST_P(StatefulTrainer, MetersAndObserversChangeNoBit) {
  const Finished bare = train(small_config(), {}, Sines(), kFractions, GetParam());
  Vandal vandal;
  Counter counter;
  TrainerHooks hooks;
  hooks.meters = &vandal;
  hooks.gradients = &counter;
  const Finished watched = train(small_config(), hooks, Sines(), kFractions, GetParam());
  EXPECT_EQ(vandal.calls, 3);
  EXPECT_EQ(counter.batches, 30);
  EXPECT_EQ(counter.microbatches, 30 * 8);
  EXPECT_GT(counter.total, 0);
  EXPECT_EQ(bare.outcome.status, "completed");
  EXPECT_EQ(bare.checkpoint, watched.checkpoint);
  EXPECT_EQ(bare.records, watched.records);
}

TEST_P(StatefulTrainer, ResumesBitForBitFromAnyStep) {
  const Finished whole = train(small_config(), {}, Sines(), kFractions, GetParam());
  for (const int stop_after : {1, 7, 16, 29}) {
    const TemporaryFolder folder;
    const Sines data, heldout(32);
    std::atomic<bool> stop{false};
    // Stops itself after so many steps, as a signal would.
    struct Stopper : Counter {
      std::atomic<bool>* flag = nullptr;
      int after = 0;
      void batch(int64_t step, std::span<const double>) override {
        if (step + 1 == after) *flag = true;
      }
    } stopper;
    stopper.flag = &stop;
    stopper.after = stop_after;
    TrainerHooks hooks;
    hooks.stop = &stop;
    hooks.gradients = &stopper;
    const auto make = [] { return small_objective(GetParam()); };
    EXPECT_THROW(Trainer(make, small_config(), data, heldout, kFractions, folder.path, hooks).run(),
                 Interrupted);
    const Outcome outcome =
        Trainer(make, small_config(), data, heldout, kFractions, folder.path, {}).run();
    const Finished resumed = read(folder, outcome);
    EXPECT_EQ(resumed.checkpoint, whole.checkpoint) << stop_after;
    EXPECT_EQ(resumed.records, whole.records) << stop_after;
  }
}

TEST(Trainer, AnotherSeedIsAnotherRun) {
  TrainConfig other = small_config();
  other.seed = 4;
  EXPECT_NE(train(small_config()).checkpoint, train(other).checkpoint);
}

TEST(Trainer, LossFallsAndTheLedgerCounts) {
  const Finished run = train(small_config(60));
  const auto steps = lines_of(run.records, "step");
  ASSERT_EQ(steps.size(), 60u);
  EXPECT_LT(steps.back().at("loss").get<double>(), steps.front().at("loss").get<double>());
  const auto ledgers = lines_of(run.records, "ledger");
  ASSERT_EQ(ledgers.size(), 3u);
  const Ledger last = ledger_from_json(ledgers.back());
  EXPECT_EQ(last.step, 60);
  EXPECT_EQ(last.examples, 960);
  EXPECT_EQ(last.unique_examples, 96);
  EXPECT_EQ(last.tokens, 960 * 4);
  EXPECT_DOUBLE_EQ(last.training_flops, 960 * small_objective()->flops_per_example());
}

TEST(Trainer, NotANumberEndsAsDiverged) {
  const Finished run = train(small_config(), {}, Sines(96, 5));
  EXPECT_EQ(run.outcome.status, "diverged");
  EXPECT_NE(run.outcome.reason.find("not finite"), std::string::npos);
  EXPECT_EQ(lines_of(run.records, "note").size(), 1u);
}

TEST(Trainer, ExplosionEndsAsDiverged) {
  TrainConfig config = small_config(200);
  config.learning_rate = 30;
  config.clip_norm = 0;
  config.warmup = 0;
  const Finished run = train(config);
  EXPECT_EQ(run.outcome.status, "diverged") << run.outcome.reason;
}

// Averages against the definition, from the snapshots of a run that is measured at every step.
TEST(Trainer, AveragedWeightsAreAMeanThenAnExponentialAverage) {
  TrainConfig config = small_config(20);
  config.averaging = 0.25;  // horizon of 5 steps
  struct Recorder : CheckpointObserver {
    std::vector<Tensor> live, averaged;
    std::vector<Measurement> measure(Subject& subject) override {
      live.push_back(subject.state().live.clone());
      averaged.push_back(subject.state().averaged.clone());
      return {};
    }
  } recorder;
  TrainerHooks hooks;
  hooks.meters = &recorder;
  std::vector<double> everywhere;
  for (int step = 0; step <= 20; ++step) everywhere.push_back(step / 20.0);
  train(config, hooks, Sines(), everywhere);
  ASSERT_EQ(recorder.live.size(), 21u);
  Tensor expected = recorder.live[0].clone();
  for (size_t t = 1; t <= 20; ++t) {
    const double weight = t < 5 ? 1.0 / static_cast<double>(t) : 0.2;
    expected = expected * (1 - weight) + recorder.live[t] * weight;
    EXPECT_LT((recorder.averaged[t] - expected).abs().max().item<double>(), 1e-6) << t;
  }
  EXPECT_TRUE(torch::equal(recorder.averaged[1], recorder.live[1]));
}

TEST(Trainer, SecondMomentsAreOfferedAfterOnePercentOnly) {
  struct Recorder : CheckpointObserver {
    std::vector<bool> defined;
    std::vector<Measurement> measure(Subject& subject) override {
      defined.push_back(subject.state().second_moments().defined());
      return {};
    }
  } recorder;
  TrainerHooks hooks;
  hooks.meters = &recorder;
  train(small_config(300), hooks, Sines(), {0, 1.0 / 300, 0.01, 1});
  EXPECT_EQ(recorder.defined, (std::vector<bool>{false, false, true, true}));
}

TEST(Checkpoint, AnotherCompositionIsRefusedByName) {
  const TemporaryFolder folder;
  const auto one = small_objective("denoise"), other = small_objective("mae");
  FlatParameters flat(*one), other_flat(*other);
  save_checkpoint(folder.path / "c.safetensors", flat, {{"parameters", flat.values()}}, {},
                  nlohmann::json{{"x", 1}});
  const auto loaded =
      load_checkpoint(folder.path / "c.safetensors", flat, {{"parameters", flat.values()}}, {});
  EXPECT_EQ(loaded.at("x"), 1);
  try {
    load_checkpoint(folder.path / "c.safetensors", other_flat,
                    {{"parameters", other_flat.values()}}, {});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "store.corrupt");
    EXPECT_NE(std::string(error.what()).find("parameters.head"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace assay
