// Measurements that are added after training: whole, in turn, and in place of what they refine.
#include "assay/store/measure_log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "assay/core/error.h"
#include "assay/store/files.h"
#include "assay/store/record_log.h"
#include "assay/store/study_folder.h"
#include "store/temporary_folder.h"

namespace assay {
namespace {

using Json = nlohmann::json;

Json measured(const std::string& quantity, int64_t step, double value) {
  Measurement m;
  m.meter = "objective_snr";
  m.quantity = quantity;
  m.step = step;
  m.labels = {{"group", "trunk"}};
  m.value = value;
  return to_json(m);
}

TEST(MeasureLog, WritersTakeTurns) {
  const TemporaryFolder trial;
  constexpr int kWriters = 4, kTimes = 25;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w)
    writers.emplace_back([&, w] {
      for (int i = 0; i < kTimes; ++i)
        append_measures(trial.path, {{{"writer", w}, {"line", 0}}, {{"writer", w}, {"line", 1}}});
    });
  for (std::thread& writer : writers) writer.join();
  const auto lines = read_records(trial.path / "measures.jsonl").lines;
  ASSERT_EQ(std::ssize(lines), 2 * kWriters * kTimes) << "a writer overwrote another's lines";
  for (size_t i = 0; i < lines.size(); i += 2)
    EXPECT_EQ(lines[i]["writer"], lines[i + 1]["writer"]);
  EXPECT_EQ(trial.names(), std::vector<std::string>{"measures.jsonl"}) << "a lock was left behind";
}

TEST(MeasureLog, AFullDiskLeavesWhatThereWas) {
  const TemporaryFolder trial;
  append_measures(trial.path, {{{"line", 0}}});
  const std::string before = read_file(trial.path / "measures.jsonl");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{100, old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  std::string code;
  try {
    append_measures(trial.path, {{{"text", std::string(1000, 'x')}}});
  } catch (const Error& error) {
    code = error.code();
  }
  ::setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(code, "environment.disk_full");
  EXPECT_EQ(read_file(trial.path / "measures.jsonl"), before);
  EXPECT_EQ(trial.names(), std::vector<std::string>{"measures.jsonl"});
}

TEST(MeasureLog, StandsForWhatTheMetersRecorded) {
  const TemporaryFolder trial;
  std::ofstream records(trial.path / "records.jsonl");
  for (const double step : {1, 2})
    records << measured("signal", static_cast<int64_t>(step), step).dump() << '\n';
  Ledger ledger;
  ledger.measuring_flops = 5;
  records << to_json(ledger).dump() << '\n';
  records.close();
  append_measures(trial.path, {measured("signal", 2, 20),
                               measured("objective_share", 2, 0.5),
                               {{"kind", "measuring"}, {"measuring_flops", 7}}});
  append_measures(trial.path, {measured("signal", 2, 200)});

  const TrialFolder read = read_trial_folder(trial.path, ReadDepth::full);
  EXPECT_TRUE(read.problems.empty());
  ASSERT_EQ(read.measurements.size(), 3u);
  EXPECT_EQ(read.measurements[0].value, 1) << "another step stays";
  EXPECT_EQ(read.measurements[1].value, 200) << "the last measurement counts";
  EXPECT_EQ(read.measurements[2].quantity, "objective_share");
  EXPECT_EQ(read.ledger->measuring_flops, 12);
}

}  // namespace
}  // namespace assay
