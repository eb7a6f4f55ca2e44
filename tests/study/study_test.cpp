// Study files: grids, ids, static checks.
#include "assay/tensor/torch.h"

#include "assay/study/study.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/study/grid.h"

namespace assay {
namespace {

constexpr const char* kHead = "[study]\nname = 'test'\n";
constexpr const char* kTrain =
    "[model]\nwidth = 16\ndepth = 1\nheads = 2\n[train]\nbudget = { steps = 200 }\n";

Study resolve(const std::string& toml, const std::vector<std::string>& assignments = {}) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("assay-study-" + std::to_string(getpid()) + ".toml");
  std::ofstream(path) << toml;
  try {
    Study study = resolve_study(path.string(), assignments);
    std::filesystem::remove(path);
    return study;
  } catch (...) {
    std::filesystem::remove(path);
    throw;
  }
}

Error refusal(const std::string& toml) {
  try {
    resolve(toml);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "accepted:\n" << toml;
  return Error("none", "none");
}

std::string with(const std::string& rest) { return std::string(kHead) + kTrain + rest; }

TEST(Grid, ProductOfAllListsLastFastest) {
  const Node table = parse_toml("a = [1, 2]\nb.c = ['x', 'y']\nd = 5\n[[term]]\nk = 1\n", "t");
  const auto points = expand(table, {"term"});
  ASSERT_EQ(points.size(), 4u);
  EXPECT_EQ(points[1].labels, (std::vector<std::string>{"a=1", "c=y"}));
  EXPECT_EQ(to_json(points[2].table),
            nlohmann::json::parse(R"({"a":2,"b":{"c":"x"},"d":5,"term":[{"k":1}]})"));
  EXPECT_THROW(expand(parse_toml("a = []", "t")), Error);
}

TEST(Study, GridOverObjectivesModelsAndSeeds) {
  const Study study = resolve(std::string(kHead) +
                              "[model]\nwidth = [16, 32]\ndepth = 1\nheads = 2\n"
                              "[train]\nbudget = { steps = 200 }\nseed = [0, 1, 2]\n"
                              "[[objective]]\npreset = 'mae'\n"
                              "[[objective]]\npreset = 'token'\n");
  ASSERT_EQ(study.trials.size(), 12u);
  std::set<std::string> ids, names;
  for (const Trial& trial : study.trials) {
    ids.insert(trial.id);
    names.insert(trial.name);
    EXPECT_EQ(trial.id.size(), 16u);
    EXPECT_EQ(trial.steps, 200);
    EXPECT_GT(trial.parameters, 0);
  }
  EXPECT_EQ(ids.size(), 12u);
  EXPECT_TRUE(names.contains("mae/width=32/seed=1"));
  EXPECT_TRUE(names.contains("token/width=16/seed=0"));
  EXPECT_TRUE(study.warnings.empty());
}

TEST(Study, IdsDependOnWhatDeterminesTrainingOnly) {
  const std::string objective = "[[objective]]\npreset = 'mae'\n";
  const std::string id = resolve(with(objective)).trials[0].id;
  EXPECT_EQ(resolve(with(objective + "[measure]\nprobe = false\n")).trials[0].id, id);
  EXPECT_EQ(resolve(with(objective + "[run]\ncheckpoint_seconds = 1\n")).trials[0].id, id);
  EXPECT_EQ(resolve(with(objective + "name = 'other'\n")).trials[0].id, id);
  EXPECT_NE(resolve(with(objective), {"train.seed=1"}).trials[0].id, id);
  EXPECT_NE(resolve(with(objective), {"train.batch=32"}).trials[0].id, id);
  EXPECT_NE(resolve(with(objective), {"model.depth=2"}).trials[0].id, id);
  EXPECT_NE(resolve(with(objective + "corrupt.ratio = 0.5\n")).trials[0].id, id);
}

// A loss that couples examples has one microbatch: the batch. Any other size is another objective.
TEST(Study, CoupledObjectivesTrainInOnePiece) {
  const std::string views = "[[objective]]\npreset = 'simclr'\n";
  const auto train = nlohmann::json::parse(resolve(with(views)).trials[0].config).at("train");
  EXPECT_EQ(train.at("microbatch"), train.at("batch"));
  const Error error = refusal(with(views + "train.microbatch = 8\n"));
  EXPECT_EQ(error.code(), "config.coupled");
  EXPECT_NE(error.help().find("leave train.microbatch out"), std::string::npos) << error.help();
  EXPECT_EQ(refusal(with("[[objective]]\npreset = 'mae'\ntrain.microbatch = 64\n")).code(),
            "config.microbatch");
}

TEST(Study, FlopBudgetBuysFewerStepsOfADearerObjective) {
  const Study study =
      resolve(std::string(kHead) +
              "[model]\nwidth = 32\ndepth = 2\nheads = 2\n[train]\nbudget = { flops = 1e11 }\n"
              "[[objective]]\npreset = 'mae'\n[[objective]]\npreset = 'denoise'\n");
  EXPECT_GT(study.trials[0].steps, study.trials[1].steps);
  for (const Trial& trial : study.trials) {
    EXPECT_LE(trial.flops, 1e11);
    EXPECT_GT(trial.flops + trial.flops_per_step, 1e11);
  }
}

TEST(Study, AnObjectiveMayHaveItsOwnLearningRateAndData) {
  const Study study =
      resolve(with("[data.a]\nkind = 'world'\n[data.b]\nkind = 'world'\nseed = 9\n"
                   "[[objective]]\npreset = 'mae'\ndata = 'b'\ntrain.learning_rate = 3e-3\n"));
  const auto config = nlohmann::json::parse(study.trials[0].config);
  EXPECT_EQ(config.at("data").at("name"), "b");
  EXPECT_EQ(config.at("train").at("learning_rate"), 3e-3);
}

TEST(Study, ConfigsReadBack) {
  for (const char* preset : {"mae", "denoise", "token"}) {
    const Study study = resolve(with(std::string("[[objective]]\npreset = '") + preset + "'\n"));
    const ResolvedTrial trial =
        read_trial(from_json(nlohmann::json::parse(study.trials[0].config)), "");
    EXPECT_EQ(trial.name, preset);
    EXPECT_EQ(trial.fractions, (std::vector<double>{0, 0.01, 0.04, 0.16, 0.4, 1}));
    EXPECT_EQ(static_cast<int64_t>(trial.meters.size()),
              std::ranges::count_if(meter_entries(), &MeterEntry::by_default));
    const auto objective = make_objective(trial.objective, trial.model, trial.shape, Seed(0));
    int64_t parameters = 0;
    for (const Tensor& parameter : objective->parameters()) parameters += parameter.numel();
    EXPECT_EQ(parameters, study.trials[0].parameters);
    int64_t of_trunk = 0;
    for (const Tensor& parameter : objective->trunk().parameters()) of_trunk += parameter.numel();
    EXPECT_EQ(of_trunk, study.trials[0].trunk_parameters);
  }
}

TEST(Study, RefusalsHaveCodePlaceAndRemedy) {
  const Error unknown = refusal(with("[[objective]]\npreset = 'mae'\ncorrupt.ratoi = 0.5\n"));
  EXPECT_EQ(unknown.code(), "config.unknown_key");
  EXPECT_EQ(unknown.help(), "did you mean `ratio`?");
  EXPECT_EQ(unknown.place().line, 11);
  EXPECT_EQ(refusal(with("[[objective]]\npreset = 'mea'\n")).help(), "did you mean `mae`?");
  EXPECT_EQ(refusal(with("")).code(), "config.missing_key");
  EXPECT_EQ(refusal(with("[[objective]]\npreset = 'mae'\n[[objective]]\npreset = 'mae'\n")).code(),
            "config.duplicate_trial");
  EXPECT_EQ(refusal(with("[[objective]]\npreset = 'mae'\ndata = 'images'\n")).code(),
            "config.unknown_data");
  EXPECT_EQ(
      refusal(with("[data.a]\nkind = 'world'\nview = 'caption'\n[[objective]]\npreset = 'mae'\n"))
          .code(),
      "config.modality");
  EXPECT_EQ(refusal(with("[data.a]\nkind = 'world'\n[data.b]\nkind = 'world'\nseed = 1\n"
                         "[[objective]]\npreset = 'mae'\n"))
                .code(),
            "config.ambiguous_data");
  EXPECT_EQ(refusal(with("[measure]\nprobes = true\n[[objective]]\npreset = 'mae'\n")).help(),
            "did you mean `probe`?");
  EXPECT_EQ(refusal(with("[modle]\nwidth = 3\n[[objective]]\npreset = 'mae'\n")).help(),
            "did you mean `model`?");
  EXPECT_EQ(refusal(with("[[objective]]\npreset = 'mae'\ntrain.microbatch = 64\n")).code(),
            "config.microbatch");
}

TEST(Study, EveryStudyThatShipsResolves) {
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(ASSAY_SOURCE_DIR "/studies")) {
    if (entry.path().extension() != ".toml") continue;
    EXPECT_FALSE(resolve_study(entry.path().string(), {}).trials.empty()) << entry.path();
    ++found;
  }
  EXPECT_GE(found, 3);
}

}  // namespace
}  // namespace assay
