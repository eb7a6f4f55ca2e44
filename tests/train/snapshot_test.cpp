// Snapshots: everything that a branch needs to go on from where the trial was.
#include "assay/train/snapshot.h"

#include <gtest/gtest.h>

#include <fstream>

#include "assay/train/trainer.h"
#include "tests/train/fixture.h"

namespace assay {
namespace {

using namespace testing;

/// Trains `preset` in `folder` with snapshots at the start, the middle and the end.
void train_with_snapshots(const TemporaryFolder& folder, const std::string& preset) {
  const Sines data, heldout(32);
  Trainer([preset] { return small_objective(preset); }, small_config(), data, heldout, {0, .5, 1},
          folder.path, {})
      .run();
}

class Snapshot : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Presets, Snapshot, ::testing::Values("denoise", "jepa", "dino", "vae"),
                         [](const auto& parameter) { return parameter.param; });

// A stepper that starts from a snapshot and follows the trial's own stream is the trial.
TEST_P(Snapshot, TheTrialGoesOnFromItBitForBit) {
  const TemporaryFolder folder;
  train_with_snapshots(folder, GetParam());
  const Sines data;
  const auto objective = small_objective(GetParam());
  for (const int64_t from : {0, 15}) {
    const Subject::State start =
        load_snapshot(snapshot_path(folder.path, from), *objective, small_config());
    Stepper stepper(small_objective(GetParam()), small_config(), data,
                    Seed(small_config().seed).child("trial"));
    stepper.restore(start);
    for (int64_t step = from; step < 30; ++step) stepper.step(step);
    const Subject::State end =
        load_snapshot(snapshot_path(folder.path, 30), *objective, small_config());
    const Subject::State own = stepper.state(30);
    EXPECT_TRUE(torch::equal(own.live, end.live)) << from;
    EXPECT_TRUE(torch::equal(own.averaged, end.averaged)) << from;
    EXPECT_TRUE(torch::equal(own.first_moments, end.first_moments)) << from;
    EXPECT_TRUE(torch::equal(own.raw_second_moments, end.raw_second_moments)) << from;
    ASSERT_EQ(own.objective.size(), end.objective.size());
    for (size_t i = 0; i < own.objective.size(); ++i)
      EXPECT_TRUE(torch::equal(own.objective[i].second, end.objective[i].second)) << from;
  }
}

TEST(SnapshotSteps, AreThoseOfWholeFiles) {
  const TemporaryFolder folder;
  EXPECT_TRUE(snapshot_steps(folder.path).empty());
  train_with_snapshots(folder, "denoise");
  std::ofstream(folder.path / "snapshots" / ".00000020.safetensors.tmp") << "half";
  EXPECT_EQ(snapshot_steps(folder.path), (std::vector<int64_t>{0, 15, 30}));
}

}  // namespace
}  // namespace assay
