// Where branches of toys start, and an optimiser whose steps are closed forms.
#pragma once

#include "tests/measure/toy.h"

namespace assay::toy {

constexpr int64_t kRunSteps = 400;

/// AdamW that is plain SGD with rate η to 1e-4: ε far above √v, no momentum, decay or clipping, a
/// constant schedule, and averaged weights that are the live ones.
inline TrainConfig sgd(double rate, int64_t batch) {
  TrainConfig config;
  config.budget_steps = kRunSteps;
  config.batch = config.microbatch = batch;
  config.epsilon = 1e5;
  config.learning_rate = rate * config.epsilon;
  config.warmup = config.decay = 0;
  config.weight_decay = config.beta1 = config.clip_norm = 0;
  config.averaging = 0;
  return config;
}

inline Subject::State start_of(Objective& objective, const TrainConfig& config, int64_t step = 10) {
  const FlatParameters flat(objective);
  Subject::State state;
  state.live = flat.values().clone();
  state.averaged = flat.values().clone();
  state.step = step;
  state.raw_second_moments = torch::zeros_like(state.live);
  state.train = config;
  state.steps = kRunSteps;
  return state;
}

}  // namespace assay::toy
