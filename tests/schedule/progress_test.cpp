// Percentages and the estimate of the time left, on numbers worked out by hand.
#include "assay/schedule/progress.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

// Two trials of 100 FLOPs and one of 200; 100 steps each.
std::vector<PlannedTrial> trials() {
  return {{"a", "a", 100, 100, 0}, {"b", "b", 100, 100, 0}, {"c", "c", 100, 200, 0}};
}

TEST(Progress, CountsByFlops) {
  Progress progress(trials(), 2);
  EXPECT_DOUBLE_EQ(progress.fraction(), 0);
  progress.update(2, 50, false);
  EXPECT_DOUBLE_EQ(progress.fraction(), 0.25);
  progress.update(0, 3, true);  // diverged at step 3: all of it is over
  EXPECT_DOUBLE_EQ(progress.fraction(), 0.5);
  EXPECT_EQ(progress.ended(), 1U);
}

TEST(Progress, TimeLeftComesFromTheWorkOfThisRun) {
  Progress progress(trials(), 2);
  progress.update(0, 100, true);  // done by an earlier run: no rate of this one
  progress.begin();
  EXPECT_FALSE(progress.seconds_left(10, 2));
  progress.update(1, 50, false);
  progress.update(2, 25, false);
  // 100 FLOPs in 10 s by two workers; 200 remain, of which 150 on one worker at half the rate.
  EXPECT_DOUBLE_EQ(progress.seconds_left(10, 2).value(), 30);
  progress.update(1, 100, true);
  // 150 FLOPs in 15 s; 150 remain on the only worker.
  EXPECT_DOUBLE_EQ(progress.seconds_left(15, 1).value(), 15);
}

TEST(Progress, ADivergedTrialIsNoRate) {
  Progress progress(trials(), 1);
  progress.begin();
  progress.update(0, 10, true);  // 10 of its 100 FLOPs were work
  EXPECT_DOUBLE_EQ(progress.seconds_left(1, 1).value(), 30) << "300 FLOPs at 10 a second";
}

}  // namespace
}  // namespace assay
