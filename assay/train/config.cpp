// The [train] table: budget, batch, learning rate and its schedule.
#include "assay/train/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace assay {

std::vector<Option> train_options() {
  using namespace declare;
  return {
      table("budget",
            {optional(real("flops", {}, above(0), "training FLOPs by passes, as in the ledger")),
             optional(integer("steps", {}, at_least(1), "optimiser steps")),
             optional(integer("examples", {}, at_least(1), "examples, counted with repetition"))},
            "what one trial may spend: give exactly one of flops, steps, examples"),
      integer("batch", 64, at_least(1), "examples per optimiser step"),
      optional(integer("microbatch", {}, at_least(1),
                       "examples per backward pass; default batch / 8, at most that")),
      real("learning_rate", 1e-3, above(0), "of the constant phase"),
      real("warmup", 0.05, closed(0, 1), "fraction of the run over which the rate rises from 0"),
      real("decay", 0.2, closed(0, 1), "last fraction of the run over which the rate falls to 0"),
      real("weight_decay", 0.05, at_least(0), "of AdamW, on matrices only"),
      real("beta1", 0.9, {0, 1, false, true}, "of AdamW: memory of the mean gradient"),
      real("beta2", 0.95, {0, 1, false, true}, "of AdamW: memory of the squared gradient"),
      real("epsilon", 1e-8, above(0), "of AdamW"),
      real("clip_norm", 1.0, at_least(0), "largest norm of a step's gradient; 0 = never clip"),
      real("averaging", 0.05, {0, 1, true, false},
           "time constant of the averaged weights, as a fraction of the run"),
      integer("seed", 0, at_least(0), "of initialisation, data order and draws"),
  };
}

TrainConfig train_config(const Options& options) {
  TrainConfig config;
  const Options budget = options.table("budget");
  const int given = budget.has("flops") + budget.has("steps") + budget.has("examples");
  if (given != 1)
    throw options.error("budget", "config.budget",
                        fmt::format("[train] budget gives {} of flops, steps, examples", given),
                        "give exactly one, for example: budget = { flops = 2e13 }");
  if (budget.has("flops")) config.budget_flops = budget.real("flops");
  if (budget.has("steps")) config.budget_steps = budget.integer("steps");
  if (budget.has("examples")) config.budget_examples = budget.integer("examples");
  config.batch = options.integer("batch");
  config.microbatch = options.has("microbatch") ? options.integer("microbatch")
                                                : std::max<int64_t>(1, config.batch / 8);
  if (config.batch % config.microbatch != 0)
    throw options.error(
        "batch", "config.microbatch",
        fmt::format("batch {} is not a multiple of microbatch {}", config.batch, config.microbatch),
        "leave microbatch out to use batch / 8");
  config.learning_rate = options.real("learning_rate");
  config.warmup = options.real("warmup");
  config.decay = options.real("decay");
  if (config.warmup + config.decay > 1)
    throw options.error(
        "decay", "config.range",
        fmt::format("warmup {} and decay {} together exceed the run", config.warmup, config.decay),
        "both are fractions of the run");
  config.weight_decay = options.real("weight_decay");
  config.beta1 = options.real("beta1");
  config.beta2 = options.real("beta2");
  config.epsilon = options.real("epsilon");
  config.clip_norm = options.real("clip_norm");
  config.averaging = options.real("averaging");
  config.seed = static_cast<uint64_t>(options.integer("seed"));
  return config;
}

int64_t steps_of(const TrainConfig& config, double flops_per_example) {
  if (config.budget_steps > 0) return config.budget_steps;
  const double examples = config.budget_examples > 0 ? static_cast<double>(config.budget_examples)
                                                     : config.budget_flops / flops_per_example;
  return std::max<int64_t>(1, static_cast<int64_t>(examples / static_cast<double>(config.batch)));
}

double learning_rate(const TrainConfig& config, int64_t step, int64_t steps) {
  const auto total = static_cast<double>(steps), at = static_cast<double>(step);
  const double warmup = config.warmup * total, decay = config.decay * total;
  double factor = 1;
  if (warmup > 0) factor = std::min(factor, (at + 1) / warmup);
  if (decay > 0) factor = std::min(factor, (total - at) / decay);
  return config.learning_rate * factor;
}

double averaging_weight(const TrainConfig& config, int64_t done, int64_t steps) {
  const double horizon = std::max(1.0, config.averaging * static_cast<double>(steps));
  return 1.0 / std::min(horizon, static_cast<double>(done));
}

}  // namespace assay
