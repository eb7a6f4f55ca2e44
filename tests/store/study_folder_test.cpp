// A study folder is read in whatever state it is.
#include "assay/store/study_folder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/core/error.h"
#include "assay/store/files.h"
#include "temporary_folder.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string heldout_line(int64_t step, double value, const std::string& weights) {
  Measurement m;
  m.meter = "heldout_loss";
  m.quantity = "loss_per_target";
  m.step = step;
  m.labels = {{"weights", weights}};
  m.value = value;
  return to_json(m).dump() + "\n";
}

// Trials a (completed), b (torn), c (no folder), and z, which the study does not name.
struct Example {
  TemporaryFolder folder;

  Example() {
    Json trials = Json::array();
    for (const std::string id : {"a", "b", "c"}) {
      trials.push_back({{"id", id},
                        {"name", "name-" + id},
                        {"config", {{"name", "name-" + id}}},
                        {"steps", 100},
                        {"flops", 1e9},
                        {"parameters", 12}});
    }
    write_atomically(folder.path / "study.json", Json{{"format", 1},
                                                      {"name", "example"},
                                                      {"question", "which?"},
                                                      {"base", "/data"},
                                                      {"set", {"a.b=1"}},
                                                      {"warnings", {"one seed"}},
                                                      {"trials", trials}}
                                                     .dump());
    for (const char* id : {"a", "b", "z"}) fs::create_directories(path(id));
    write_atomically(path("a") / "records.jsonl",
                     R"({"kind":"step","step":50,"loss":2.5,"learning_rate":0.1,"flops":5e8})"
                     "\n" +
                         heldout_line(50, 3, "averaged") + heldout_line(100, 1, "live") +
                         heldout_line(100, 2, "averaged") +
                         R"({"kind":"note","text":"not cached"})"
                         "\n"
                         R"({"kind":"step","step":100,"loss":null,"learning_rate":0.1,"flops":1e9})"
                         "\n" +
                         to_json(Ledger{.step = 100, .training_flops = 1e9}).dump() + "\n");
    write_atomically(path("a") / "outcome.json", to_json(Outcome{"completed", "", 100}).dump());
    write_atomically(path("a") / "timing.jsonl",
                     R"({"kind":"timing","step":40,"seconds":4,"steps_per_second":10}
{"kind":"timing","step":60,"seconds":6,"steps_per_second":11}
{"kind":"timing","step":70,"seconds":1,"steps_per_second":12}
{"kind":"timing","step":100,"seconds":3,"steps_per_second":13}
)");
    write_atomically(path("b") / "records.jsonl", R"({"kind":"step","step":7,"loss":1}
{"kind":"step","st)");
  }
  fs::path path(const std::string& id) const { return folder.path / "trials" / id; }
};

TEST(StudyFolder, ReadsEveryStateOfATrial) {
  const Example example;
  for (const ReadDepth depth : {ReadDepth::full, ReadDepth::progress}) {
    const StudyFolder study = read_study(example.folder.path, depth);
    EXPECT_EQ(study.name, "example");
    EXPECT_EQ(study.overrides, std::vector<std::string>{"a.b=1"});
    EXPECT_EQ(study.warnings, std::vector<std::string>{"one seed"});
    ASSERT_EQ(study.trials.size(), 4U);
    const TrialFolder& done = study.trials[0];
    EXPECT_EQ(done.status, "completed");
    EXPECT_EQ(done.name, "name-a");
    EXPECT_EQ(done.step, 100);
    EXPECT_EQ(done.steps, 100);
    EXPECT_DOUBLE_EQ(done.seconds, 9) << "6 s of the first process and 3 s of the second";
    EXPECT_DOUBLE_EQ(done.steps_per_second, 13);
    EXPECT_EQ(done.measurements.size(), 3U);
    EXPECT_EQ(done.notes, std::vector<std::string>{"not cached"});
    EXPECT_DOUBLE_EQ(last_heldout_loss(done).value(), 2);
    EXPECT_DOUBLE_EQ(done.ledger->training_flops, 1e9);
    EXPECT_EQ(done.losses.size(), depth == ReadDepth::full ? 2U : 1U);
    EXPECT_TRUE(std::isnan(done.losses.back().loss)) << "null reads as NaN";
    EXPECT_EQ(study.trials[1].status, "stopped");
    EXPECT_EQ(study.trials[1].step, 7);
    EXPECT_EQ(study.trials[2].status, "waiting");
    EXPECT_EQ((*study.trials[2].config)["name"], "name-c");
    EXPECT_FALSE(study.trials[3].in_study);
    EXPECT_EQ(study.trials[3].id, "z");
  }
  EXPECT_EQ(read_study(example.folder.path, ReadDepth::full).trials[1].problems.size(), 1U);
}

TEST(StudyFolder, ALockedTrialIsRunning) {
  const Example example;
  const FolderLock lock(example.path("b"));
  const StudyFolder study = read_study(example.folder.path, ReadDepth::progress);
  EXPECT_EQ(study.trials[1].status, "running");
  EXPECT_NE(study.trials[1].running_on, "");
}

TEST(StudyFolder, BrokenFilesAreProblemsNotErrors) {
  const Example example;
  write_atomically(example.path("a") / "outcome.json", "{\"stat");
  write_atomically(example.path("b") / "config.json", "[1]");
  write_atomically(example.path("b") / "records.jsonl",
                   "{\"kind\":7}\n[2]\n{nope\n{\"kind\":\"step\"}\n3\n");
  for (const ReadDepth depth : {ReadDepth::full, ReadDepth::progress}) {
    const StudyFolder study = read_study(example.folder.path, depth);
    EXPECT_EQ(study.trials[0].status, "stopped");
    EXPECT_FALSE(study.trials[0].problems.empty());
    EXPECT_GE(study.trials[1].problems.size(), 2U);
  }
}

TEST(StudyFolder, WhatIsNoStudyIsAnError) {
  const TemporaryFolder folder;
  const auto code_of = [&] {
    try {
      read_study(folder.path, ReadDepth::progress);
      return std::string();
    } catch (const Error& error) {
      return error.code();
    }
  };
  EXPECT_EQ(code_of(), "store.read");
  write_atomically(folder.path / "study.json", "{\"trials\"");
  EXPECT_EQ(code_of(), "store.corrupt");
  write_atomically(folder.path / "study.json", R"({"format":2,"trials":[]})");
  EXPECT_EQ(code_of(), "store.format");
  write_atomically(folder.path / "study.json", R"({"format":1,"trials":[{"name":"a"}]})");
  EXPECT_EQ(code_of(), "store.corrupt");
}

TEST(LastWords, AreTheLastLinesThatSaySomethingAsValidText) {
  const TemporaryFolder folder;
  EXPECT_EQ(last_words(folder.path), "");
  write_atomically(folder.path / "log.txt", "one\ntwo\n\n  three\xff\nfour\n\n");
  EXPECT_EQ(last_words(folder.path, 2), "three\xEF\xBF\xBD\nfour");
  EXPECT_NO_THROW(Json(last_words(folder.path)).dump());
}

}  // namespace
}  // namespace assay
