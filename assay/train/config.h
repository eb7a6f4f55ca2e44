// The [train] table: budget, batch, learning rate and its schedule.
#pragma once

#include "assay/core/options.h"

namespace assay {

struct TrainConfig {
  double budget_flops = 0;  // exactly one of the three budgets is set
  int64_t budget_steps = 0, budget_examples = 0;
  int64_t batch = 64, microbatch = 8;
  double learning_rate = 1e-3;        // of the constant phase
  double warmup = 0.05, decay = 0.2;  // fractions of the run
  double weight_decay = 0.05, beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8;
  double clip_norm = 1.0;   // of the whole gradient, after it was observed; 0 = off
  double averaging = 0.05;  // time constant of the averaged weights, fraction of the run
  uint64_t seed = 0;
};

std::vector<Option> train_options();
/// Throws Error config.budget, config.microbatch.
TrainConfig train_config(const Options& options);

/// Steps that the budget pays for, at least 1. flops_per_example: Objective::flops_per_example().
int64_t steps_of(const TrainConfig& config, double flops_per_example);

/// Linear warm-up, constant, then linear decay to 0, so that any budget can be read out by a short
/// decay branch. step counts from 0; the rate of the step about to be made.
double learning_rate(const TrainConfig& config, int64_t step, int64_t steps);

/// Weight of the newest weights in their exponential moving average over τ = averaging × steps
/// steps; the plain mean before τ steps. done: steps made, >= 1.
double averaging_weight(const TrainConfig& config, int64_t done, int64_t steps);

}  // namespace assay
