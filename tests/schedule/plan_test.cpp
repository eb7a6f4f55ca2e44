// Resolved studies: parsing the worker's answer, and what is written into the folder.
#include "assay/schedule/plan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "../store/temporary_folder.h"
#include "assay/core/error.h"
#include "assay/core/records.h"
#include "assay/store/files.h"

namespace assay {
namespace {

using Json = nlohmann::json;

std::string answer(const std::vector<std::string>& ids, int measure = 1) {
  Json trials = Json::array();
  for (const std::string& id : ids) {
    trials.push_back({{"id", id},
                      {"name", "trial " + id},
                      {"config", {{"name", "trial " + id}, {"measure", measure}}},
                      {"steps", 10},
                      {"flops", 1e6},
                      {"parameters", 5}});
  }
  return Json{{"format", 1}, {"name", "s"}, {"base", "/b"}, {"toml", "text"}, {"trials", trials}}
      .dump();
}

std::string code_of(const std::string& text) {
  try {
    plan_from_json(text);
    return "";
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(Plan, TheWorkersErrorIsThrownAsItIs) {
  EXPECT_EQ(code_of(R"({"error":{"code":"config.range","message":"m"}})"), "config.range");
  EXPECT_EQ(code_of(""), "environment.worker");
  EXPECT_EQ(code_of("[]"), "environment.worker");
  EXPECT_EQ(code_of(R"({"format":1,"name":"s"})"), "environment.worker");
  EXPECT_EQ(code_of(answer({"a"})), "");
}

TEST(Plan, WritesOnceAndAddsWhatIsNew) {
  const TemporaryFolder folder;
  EXPECT_TRUE(write_plan(folder.path, plan_from_json(answer({"a", "b"})), {}).empty());
  const auto path = folder.path / "trials/a/config.json";
  EXPECT_EQ(Json::parse(read_file(path))["name"], "trial a");
  EXPECT_EQ(read_file(folder.path / "study.toml"), "text");
  EXPECT_FALSE(Json::parse(read_file(folder.path / "study.json")).contains("toml"));
  const auto written = std::filesystem::last_write_time(folder.path / "study.json");
  EXPECT_TRUE(write_plan(folder.path, plan_from_json(answer({"a", "b"})), {}).empty());
  EXPECT_EQ(std::filesystem::last_write_time(folder.path / "study.json"), written);

  EXPECT_EQ(write_plan(folder.path, plan_from_json(answer({"a", "c"})), {"x=1"}).size(), 2U)
      << "one added, one no longer in the study";
  EXPECT_EQ(Json::parse(read_file(folder.path / "study.json"))["set"], Json({"x=1"}));
  EXPECT_TRUE(std::filesystem::exists(folder.path / "trials/b/config.json"));
}

TEST(Plan, ATrialKeepsTheConfigItBeganWith) {
  const TemporaryFolder folder;
  write_plan(folder.path, plan_from_json(answer({"a"}, 1)), {});
  const std::string before = read_file(folder.path / "trials/a/config.json");
  EXPECT_EQ(write_plan(folder.path, plan_from_json(answer({"a"}, 2)), {}).size(), 1U);
  EXPECT_EQ(read_file(folder.path / "trials/a/config.json"), before);
}

TEST(Plan, ForgetsFailuresAndNothingElse) {
  const TemporaryFolder folder;
  const Plan plan = plan_from_json(answer({"a", "b"}));
  write_plan(folder.path, plan, {});
  const auto outcome = [&](const char* id) { return folder.path / "trials" / id / "outcome.json"; };
  write_atomically(outcome("a"), to_json(Outcome{"failed", "why", 3}).dump());
  write_atomically(outcome("b"), to_json(Outcome{"diverged", "why", 3}).dump());
  EXPECT_EQ(forget_failures(folder.path, plan), 1);
  EXPECT_FALSE(std::filesystem::exists(outcome("a")));
  EXPECT_TRUE(std::filesystem::exists(outcome("b")));
}

}  // namespace
}  // namespace assay
