// Measuring a trial afterwards: what a snapshot gives back, and that reading leaves no trace.
#include "assay/tensor/torch.h"

#include "assay/study/trial_subject.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "assay/store/files.h"
#include "assay/store/record_log.h"
#include "assay/study/run_trial.h"
#include "store/temporary_folder.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// One small trial of a preset, trained to its end.
struct Trained {
  TemporaryFolder home;
  fs::path folder;

  explicit Trained(const std::string& preset) {
    const fs::path file = home.path / "study.toml";
    std::ofstream(file) << "[study]\nname = 't'\n[data.world]\nkind = 'world'\n"
                           "[model]\nwidth = 16\ndepth = 1\nheads = 2\n"
                           "[train]\nbudget = { steps = 20 }\nbatch = 8\n"
                           "[measure]\nat = [0, 0.5, 1]\nprobe = false\ncollapse = false\n"
                           "heldout_loss = { examples = 16 }\n"
                           "objective_snr = { units = 8, examples_per_unit = 2, level_units = 0, "
                           "band_units = 0 }\n"
                           "[[objective]]\npreset = '"
                        << preset << "'\n";
    const Study study = resolve_study(file.string(), {});
    folder = home.path / "trials" / study.trials[0].id;
    fs::create_directories(folder);
    write_atomically(folder / "config.json", study.trials[0].config);
    const std::atomic<bool> never{false};
    EXPECT_EQ(run_trial(folder, study.base, never).status, "completed");
  }

  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.is_regular_file()) all[entry.path().string()] = read_file(entry.path());
    return all;
  }
};

std::vector<nlohmann::json> recorded_at(const fs::path& folder, int64_t step) {
  std::vector<nlohmann::json> lines;
  for (const auto& line : read_records(folder / "records.jsonl").lines)
    if (line.at("kind") == "measurement" && line.at("meter") != "online_snr" &&
        line.at("step") == step)
      lines.push_back(line);
  return lines;
}

// H0: a snapshot gives back all that a meter sees. The same meters then record the same bits, for
// an objective without and one with a teacher; anything else (a stale teacher, uncorrected moments,
// another seed) changes them.
TEST(TrialSubject, MetersRecordTheSameBitsAfterwards) {
  for (const char* preset : {"denoise", "jepa"}) {
    const Trained trained(preset);
    const auto before = trained.files();
    OpenTrial trial = open_trial(trained.folder, "");
    EXPECT_EQ(snapshot_steps(trained.folder), (std::vector<int64_t>{0, 10, 20}));
    for (const int64_t step : snapshot_steps(trained.folder)) {
      Subject subject = subject_at(trial, step);
      std::vector<nlohmann::json> again;
      for (auto& [name, meter] : trial.config.meters)
        for (const Measurement& m : meter->measure(subject)) again.push_back(to_json(m));
      EXPECT_EQ(again, recorded_at(trained.folder, step)) << preset << " at " << step;
      EXPECT_FALSE(again.empty());
    }
    EXPECT_EQ(trained.files(), before) << "measuring touched the trial's files";
  }
}

TEST(TrialSubject, TheLastSnapshotUnlessAskedOtherwise) {
  const Trained trained("mae");
  const OpenTrial trial = open_trial(trained.folder, "");
  EXPECT_EQ(subject_at(trial).state().step, 20);
  EXPECT_EQ(subject_at(trial, 10).state().ledger.step, 10);
  EXPECT_FALSE(subject_at(trial, 0).state().second_moments().defined());
  try {
    subject_at(trial, 11);
    FAIL() << "there is no step 11";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "usage.step");
    EXPECT_EQ(error.help(), "snapshots exist at 0, 10, 20");
  }
  fs::remove_all(trained.folder / "snapshots");
  try {
    subject_at(trial);
    FAIL() << "there is no snapshot";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "usage.no_snapshot");
  }
}

TEST(TrialSubject, RefusesOtherData) {
  const Trained trained("mae");
  auto environment = nlohmann::json::parse(read_file(trained.folder / "environment.json"));
  environment["data"]["train"] = "another";
  write_atomically(trained.folder / "environment.json", environment.dump());
  const OpenTrial trial = open_trial(trained.folder, "");
  try {
    subject_at(trial);
    FAIL() << "the data are others";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "data.changed");
  }
}

}  // namespace
}  // namespace assay
