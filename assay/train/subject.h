// What a meter sees of a trial at a checkpoint: copies, so that no meter can disturb training.
#pragma once

#include <functional>

#include "assay/train/config.h"
#include "assay/train/flat_parameters.h"

namespace assay {

enum class Weights { averaged, live, initial };
std::string to_string(Weights weights);

/// A trial frozen at a checkpoint. The objective is a scratch copy: load() puts one of the three
/// sets of weights into it; a meter may leave it in any state.
class Subject {
 public:
  struct State {            // all [P] float32, CPU; owned by the subject
    Tensor live, averaged;  // averaged = exponential moving average over 5% of the run
    Tensor first_moments, raw_second_moments;  // as the optimiser holds them: to go on from here
    std::vector<std::pair<std::string, Tensor>> objective;  // Objective::state(), copied
    TrainConfig train;
    int64_t steps = 0;  // of the whole run
    int64_t step = 0;
    double fraction = 0;  // nominal, of the budget
    Ledger ledger;

    /// AdamW's v, bias-corrected. [P], a new tensor; undefined before 1% of the run.
    Tensor second_moments() const;
  };
  /// make: builds the objective at its initial weights.
  Subject(std::function<std::shared_ptr<Objective>()> make, State state, const Dataset& train,
          const Dataset& heldout, Seed seed);

  Objective& objective() { return *objective_; }
  /// Another one at its initial weights.
  std::shared_ptr<Objective> make() const { return make_(); }
  FlatParameters& parameters() { return *flat_; }
  void load(Weights weights);
  const State& state() const { return state_; }
  const Dataset& train() const { return train_; }
  const Dataset& heldout() const { return heldout_; }
  /// Stream of this trial's meters, the same at every step; meters take children by their own name,
  /// and by step where checkpoints must not share draws.
  Seed seed() const { return seed_; }
  /// Meters add what they spend; it is charged to the trial's ledger.
  double flops_spent = 0;
  /// What the reader of the records must know (a collapse); kept as notes.
  std::vector<std::string> notes;
  /// Seconds by meter, for timing.jsonl: whoever calls several meters fills it.
  std::map<std::string, double> seconds;

  /// A measurement with step, fraction and flops filled in.
  Measurement measurement(std::string meter, std::string quantity, std::string unit) const;

 private:
  std::function<std::shared_ptr<Objective>()> make_;
  std::shared_ptr<Objective> objective_;
  std::unique_ptr<FlatParameters> flat_;
  State state_;
  const Dataset& train_;
  const Dataset& heldout_;
  Seed seed_;
};

/// Called at each measuring fraction of the budget.
class CheckpointObserver {
 public:
  virtual ~CheckpointObserver() = default;
  virtual std::vector<Measurement> measure(Subject& subject) = 0;
};

/// Called with every microbatch's gradient while training; only with finite numbers. Reads only.
class GradientObserver {
 public:
  virtual ~GradientObserver() = default;
  /// |g_j|² by group (FlatParameters::groups) of the mean gradient of one microbatch. [groups]
  virtual void microbatch(int64_t step, std::span<const double> squared_norms) = 0;
  /// |Σ_j g_j|² by group, after the step's last microbatch. [groups]
  virtual void batch(int64_t step, std::span<const double> sum_squared) = 0;
};

}  // namespace assay
