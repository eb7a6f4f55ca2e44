// Hold-out and choice of form: against an independent run, on laws that are known, with leaks
// planted.
#include "assay/law/validation/holdout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "assay/core/error.h"
#include "law/laws.h"

namespace assay {
namespace {

using namespace testing;

// An independent run on the same 240 points gave a log RMSE of .011, .011 and .013 beyond the
// lowest 30, 50 and 70% of compute (2.7, 2.2 and 1.7 decades), with beta .52, .47 and .46.
TEST(Holdout, PublishedPointsRoll) {
  if (!have_law_data()) GTEST_SKIP() << "no ../shared/data/laws here";
  const Holdout found = holdout(epoch_rows(), make_form("chinchilla"),
                                {.loss = RobustLoss::huber(1e-3), .largest = false});
  ASSERT_EQ(found.cuts.size(), 3u);
  const double errors[] = {0.011, 0.011, 0.013}, betas[] = {0.52, 0.47, 0.46};
  const double beyond[] = {2.7, 2.2, 1.7};
  for (std::size_t k = 0; k < 3; ++k) {
    const HoldoutCut& cut = found.cuts[k];
    EXPECT_NEAR(cut.log_rmse, errors[k], 1.5e-3) << cut.name;
    EXPECT_NEAR(cut.parameters[4], betas[k], 0.02) << cut.name;
    EXPECT_NEAR(cut.decades_beyond, beyond[k], 0.06) << cut.name;
    EXPECT_LT(cut.log_rmse, 0.3 * cut.carried_rmse);
    EXPECT_LT(cut.log_rmse, cut.power_rmse);
    EXPECT_GT(cut.coverage95, cut.coverage80);
  }
  const ParameterDrift& beta = found.drift.back();
  EXPECT_EQ(beta.parameter, "beta");
  EXPECT_GT(beta.high - beta.low, 0.1);
}

TEST(Holdout, ALawWithoutNoiseIsPredictedExactly) {
  const auto table = square(6, 2.5, 0, 1);
  const Holdout found = holdout(table, make_form("chinchilla"), {.resamples = 0});
  ASSERT_EQ(found.cuts.size(), 5u);
  for (const HoldoutCut& cut : found.cuts) {
    EXPECT_TRUE(cut.failure.empty()) << cut.name << cut.failure;
    EXPECT_LT(cut.log_rmse, 1e-8) << cut.name;
    EXPECT_EQ(cut.fitted + cut.held_out, 36);
    EXPECT_TRUE(std::isnan(cut.coverage95));
    EXPECT_GT(cut.carried_rmse, 0.01);
  }
  EXPECT_EQ(found.cuts[3].name, "largest:model_size");
  EXPECT_EQ(found.cuts[3].held_out, 6);
  for (const ParameterDrift& drift : found.drift) EXPECT_NEAR(drift.high, drift.low, 1e-6);
}

TEST(Holdout, ARunIsOnOneSideOnly) {
  auto table = square(6, 2.5, 0.003, 2);
  for (std::size_t i = 0; i < table.size(); ++i) table[i].run = std::to_string(i / 6);  // per size
  const Holdout found = holdout(table, make_form("chinchilla"), {.resamples = 0});
  for (const HoldoutCut& cut : found.cuts)
    for (const std::size_t row : cut.rows)
      for (std::size_t other = 0; other < table.size(); ++other)
        if (table[other].run == table[row].run) {
          EXPECT_NE(std::find(cut.rows.begin(), cut.rows.end(), other), cut.rows.end());
        }
}

TEST(Holdout, ACutThatCannotBeFittedSaysSo) {
  const Holdout found = holdout(square(3, 2, 0.005, 3), make_form("chinchilla"), {.resamples = 0});
  EXPECT_THAT(found.cuts[0].failure, ::testing::HasSubstr("needs at least"));
  EXPECT_TRUE(found.cuts[2].failure.empty());
}

TEST(FormChoice, TellsAFloorFromAPowerAndTiesFromTies) {
  const FormPointer floor = make_form("floor_power"), power = make_form("power");
  const std::vector<Observation> curved =
      crossed(*floor, {1, 40, 0.3}, {1, 1}, decades(1e4, 3, 16), 0.002, 5);
  const auto choose = [&](const std::vector<Observation>& table) {
    const Holdout rolls[] = {holdout(table, floor, {.resamples = 0}),
                             holdout(table, power, {.resamples = 0})};
    return choose_form(table, rolls);
  };
  const FormChoice clear = choose(curved);
  EXPECT_EQ(clear.chosen, "floor_power");
  EXPECT_TRUE(clear.distinguished);
  // A pure power: the floor's fit is as good, and the form with fewer parameters is taken.
  const FormChoice same = choose(crossed(*power, {40, 0.3}, {1, 1}, decades(1e4, 3, 16), 0.02, 6));
  EXPECT_EQ(same.chosen, "power");
}

TEST(FormChoice, NeedsTwoForms) {
  const auto table = square(5, 2, 0.005, 7);
  const std::vector<Holdout> one = {holdout(table, make_form("tied"), {.resamples = 0})};
  EXPECT_THROW(choose_form(table, one), Error);
}

}  // namespace
}  // namespace assay
