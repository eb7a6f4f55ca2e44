// Budgets and schedules against their definitions.
#include "assay/tensor/torch.h"

#include "assay/train/config.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

TrainConfig read(const std::string& toml) {
  return train_config(Options(parse_toml(toml, "s.toml"), train_options(), "train"));
}

std::string refusal(const std::string& toml) {
  try {
    read(toml);
  } catch (const Error& error) {
    return error.code();
  }
  return "accepted";
}

TEST(TrainConfig, ExactlyOneBudget) {
  EXPECT_EQ(read("budget = { steps = 5 }").budget_steps, 5);
  EXPECT_EQ(refusal(""), "config.budget");
  EXPECT_EQ(refusal("budget = { steps = 5, flops = 1e9 }"), "config.budget");
  EXPECT_EQ(refusal("budget = { step = 5 }"), "config.unknown_key");
}

TEST(TrainConfig, MicrobatchIsAnEighthByDefaultAndDivides) {
  EXPECT_EQ(read("budget = { steps = 5 }\nbatch = 64").microbatch, 8);
  EXPECT_EQ(refusal("budget = { steps = 5 }\nbatch = 64\nmicrobatch = 7"), "config.microbatch");
  EXPECT_EQ(refusal("budget = { steps = 5 }\nwarmup = 0.6\ndecay = 0.6"), "config.range");
}

TEST(TrainConfig, StepsThatABudgetPaysFor) {
  TrainConfig config;
  config.batch = 10;
  config.budget_flops = 1000;
  EXPECT_EQ(steps_of(config, 7), 14);  // 1000 / 7 = 142.9 examples
  EXPECT_EQ(steps_of(config, 1e9), 1);
  config.budget_flops = 0;
  config.budget_examples = 99;
  EXPECT_EQ(steps_of(config, 7), 9);
}

TEST(TrainConfig, LearningRateRisesStaysAndFallsToZero) {
  TrainConfig config;
  config.learning_rate = 2;
  config.warmup = 0.1;
  config.decay = 0.2;
  EXPECT_DOUBLE_EQ(learning_rate(config, 0, 100), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate(config, 9, 100), 2);
  EXPECT_DOUBLE_EQ(learning_rate(config, 80, 100), 2);
  EXPECT_DOUBLE_EQ(learning_rate(config, 90, 100), 1);
  EXPECT_DOUBLE_EQ(learning_rate(config, 99, 100), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(config, 100, 100), 0);
}

}  // namespace
}  // namespace assay
