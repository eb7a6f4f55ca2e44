// What a file froze is what is fitted: contradictions, unknown keys and wrong values are errors
// with a line.
#include "assay/law/fitted/preregistration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>

#include "assay/core/sha256.h"
#include "store/temporary_folder.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

Preregistration reading(const std::string& text) {
  const TemporaryFolder folder;
  std::ofstream(folder.path / "plan.toml", std::ios::binary) << text;
  return read_preregistration((folder.path / "plan.toml").string());
}

Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return Error("none", "no error");
}

const FrozenOption& option(const std::string& name) {
  const auto& all = frozen_options();
  return *std::find_if(all.begin(), all.end(),
                       [&](const FrozenOption& candidate) { return candidate.name == name; });
}

constexpr const char* kPlan =
    "format = 1\n"
    "name = \"natural images\"\n"
    "[fit]\n"
    "form = \"tied\"\n"
    "loss = \"huber:1e-3\"\n"
    "where = [\"loss < 4\", \"N > 1e5\"]\n"
    "n_column = \"params\"\n"
    "[[prediction]]\n"
    "N = 1e9\n"
    "D = 2e10\n"
    "interval = [2.0, 2.5]\n"
    "value = 2.2\n"
    "group = \"mae\"\n";

TEST(Preregistration, IsReadWithDefaultsAndItsHash) {
  const Preregistration plan = reading(kPlan);
  EXPECT_EQ(plan.name, "natural images");
  EXPECT_EQ(plan.sha256, sha256_text(kPlan));
  EXPECT_THAT(plan.settings, SizeIs(frozen_options().size()));
  EXPECT_EQ(plan.settings.at("--form"), std::vector<std::string>{"tied"});
  EXPECT_EQ(plan.settings.at("--ci"), std::vector<std::string>{"bootstrap:4000"});
  EXPECT_THAT(plan.settings.at("--where"), SizeIs(2));
  EXPECT_EQ(plan.settings.at("--n-column"), std::vector<std::string>{"params"});
  EXPECT_EQ(plan.places.at("--form").line, 4);
  ASSERT_THAT(plan.predictions, SizeIs(1));
  EXPECT_EQ(plan.predictions.front().at(), "N=1e+09,D=2e+10");
}

TEST(Preregistration, ItsOwnTextIsReadBack) {
  Preregistration plan = reading(kPlan);
  plan.settings["--where"].push_back("name == \"a\\b\"");
  const Preregistration again =
      reading(preregistration_text(plan.settings) + prediction_text(plan.predictions.front()));
  EXPECT_EQ(again.settings, plan.settings);
  ASSERT_THAT(again.predictions, SizeIs(1));
  const FrozenPrediction& first = again.predictions.front();
  EXPECT_EQ(first.at(), plan.predictions.front().at());
  EXPECT_EQ(first.point.group, "mae");
  EXPECT_EQ(first.value, 2.2);
  EXPECT_EQ(first.interval.high, 2.5);
}

TEST(Preregistration, ContradictionsNameBothAndTheLine) {
  const Preregistration plan = reading(kPlan);
  EXPECT_NO_THROW(check_against(plan, option("--form"), {"tied"}));
  EXPECT_NO_THROW(check_against(plan, option("--loss"), {"huber:0.001"}));
  EXPECT_NO_THROW(check_against(plan, option("--ci"), {"bootstrap"}));
  EXPECT_NO_THROW(check_against(plan, option("--where"), {"N > 1e5", "loss < 4"}));
  const Error form = error_of([&] { check_against(plan, option("--form"), {"chinchilla"}); });
  EXPECT_EQ(form.code(), "usage.preregistered");
  EXPECT_THAT(form.what(), HasSubstr("`--form chinchilla`"));
  EXPECT_THAT(form.what(), HasSubstr("`tied`"));
  EXPECT_EQ(form.place().line, 4);
  // What the file does not name is frozen at its default.
  const Error holdout = error_of([&] { check_against(plan, option("--holdout"), {"rolling"}); });
  EXPECT_EQ(holdout.code(), "usage.preregistered");
  EXPECT_THAT(holdout.what(), HasSubstr("leaves holdout = `none`"));
  for (const auto& given : {std::vector<std::string>{"loss < 4"}, {"loss < 5", "N > 1e5"}})
    EXPECT_EQ(error_of([&] { check_against(plan, option("--where"), given); }).code(),
              "usage.preregistered");
}

TEST(Preregistration, FaultsOfTheFileHaveALine) {
  const struct {
    const char *text, *code;
    int line;
  } cases[] = {
      {"format = 1\n[fit]\nfrom = \"tied\"\n", "config.unknown_key", 3},
      {"format = 1\nfit.delta = 3\n", "config.unknown_key", 2},
      {"format = 1\nforms = 3\n", "config.unknown_key", 2},
      {"format = 2\n", "config.range", 1},
      {"name = \"x\"\n", "config.missing_key", 0},
      {"format = 1\n[fit]\nform = \"tide\"\n", "config.value", 3},
      {"format = 1\n[fit]\nloss = \"hubert\"\n", "config.value", 3},
      {"format = 1\n[fit]\nci = \"bootstrap:3\"\n", "config.value", 3},
      {"format = 1\n[fit]\nholdout = \"rollin\"\n", "config.value", 3},
      {"format = 1\n[fit]\nform = [\"tied\"]\n", "config.type", 3},
      {"format = 1\n[fit]\nwhere = [3]\n", "config.type", 3},
      {"format = 1\n[fit\n", "config.syntax", 2},
      {"format = 1\n[[prediction]]\nN = 1e9\nintervall = [1, 2]\n", "config.unknown_key", 4},
      {"format = 1\n[[prediction]]\nN = 1e9\ninterval = [2, 1]\n", "config.range", 4},
      {"format = 1\n[[prediction]]\nN = -1e9\ninterval = [1, 2]\n", "config.range", 3},
      {"format = 1\n[[prediction]]\ninterval = [1, 2]\n", "config.missing_key", 2},
  };
  for (const auto& fault : cases) {
    const Error error = error_of([&] { reading(fault.text); });
    EXPECT_EQ(error.code(), fault.code) << fault.text << error.what();
    if (fault.line > 0) {
      EXPECT_EQ(error.place().line, fault.line) << fault.text << error.what();
    }
  }
  EXPECT_EQ(error_of([] { read_preregistration("/nonexistent/plan.toml"); }).code(), "store.read");
}

TEST(Preregistration, PredictionsAreTestedByTheRunsAtTheirPoint) {
  const Preregistration plan = reading(kPlan);
  Observation row;
  row.model_size = 1.004e9;
  row.data_size = 2e10;
  row.group = "mae";
  row.loss = 2.1;
  std::vector<Observation> rows(6, row);
  rows[1].loss = 2.6;                               // outside
  rows[2].group = "jepa";                           // another group
  rows[3].data_size = 2.1e10;                       // another point
  rows[4].status = ObservationStatus::upper_bound;  // tests nothing
  rows[5].data_size = Observation::kUnknown;        // unknown whether it is there
  const auto tested = test_predictions(plan, rows);
  ASSERT_THAT(tested, SizeIs(1));
  EXPECT_EQ(tested.front().rows, 2);
  EXPECT_EQ(tested.front().inside, 1);
  EXPECT_NEAR(tested.front().mean_log_error, std::log(2.2 / std::sqrt(2.1 * 2.6)), 1e-12);
  EXPECT_EQ(test_predictions(plan, {}).front().rows, 0);
}

}  // namespace
}  // namespace assay
