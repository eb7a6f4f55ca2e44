// One optimiser step after another: what a trial and its branches have in common.
#pragma once

#include "assay/stats/group_layout.h"
#include "assay/train/optimizer.h"
#include "assay/train/subject.h"

namespace assay {

/// Sees a step from inside, to take it apart. The stepper keeps each graph for it.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  /// Before a microbatch is differentiated; share = 1/microbatches is its weight in the step.
  virtual void losses(const Objective& objective, const LossMap& map, double progress,
                      double share) = 0;
  /// Before the optimiser moves the weights. gradient_norm: of the step, before clipping.
  virtual void before_update(double gradient_norm) = 0;
  /// After weights and averages moved; rate = learning rate, weight = that of the new weights in
  /// their average.
  virtual void after_update(double rate, double weight) = 0;
};

/// Holds an objective, its optimiser and its averaged weights, and moves them step by step. A step
/// is a pure function of these and of (stream, step): data order and draws come from
/// stream.child("order") and stream.child("draws").
class Stepper {
 public:
  /// data must outlive it.
  Stepper(std::shared_ptr<Objective> objective, const TrainConfig& config, const Dataset& data,
          Seed stream);

  struct Result {
    double loss = 0;           // mean over the microbatches, before the step
    double gradient_norm = 0;  // before clipping
  };
  /// Step `step`, counted from 0, of steps(). A loss that is not finite changes nothing.
  Result step(int64_t step, GradientObserver* gradients = nullptr, StepObserver* inside = nullptr);

  /// Weights, averages, moments and teachers as they are, copied.
  Subject::State state(int64_t step) const;
  /// Continues from there, teachers included where the state has any. `state.first_moments` and
  /// `raw_second_moments` undefined = zero.
  void restore(const Subject::State& state);

  Objective& objective() const { return *objective_; }
  FlatParameters& flat() { return flat_; }
  const FlatParameters& flat() const { return flat_; }
  Optimizer& optimizer() { return optimizer_; }
  /// Exponential moving average of the weights over config.averaging × steps() steps. [P]
  Tensor averaged() const { return averaged_; }
  const TrainConfig& config() const { return config_; }
  int64_t steps() const { return steps_; }  // of the whole run
  int64_t microbatches() const { return config_.batch / config_.microbatch; }
  double data_seconds() const { return data_seconds_; }

 private:
  double accumulate_gradients(int64_t step, double progress, GradientObserver* gradients,
                              StepObserver* inside);
  void update_averages(int64_t done);

  std::shared_ptr<Objective> objective_;
  TrainConfig config_;
  const Dataset& data_;
  Seed stream_;
  FlatParameters flat_;
  Optimizer optimizer_;
  Tensor averaged_, accumulated_;
  GroupLayout layout_;
  int64_t steps_ = 0;
  double data_seconds_ = 0;
};

}  // namespace assay
