// One trial from its first step to its outcome.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>

#include "assay/store/record_log.h"
#include "assay/train/checkpoint.h"
#include "assay/train/stepper.h"

namespace assay {

/// What drives a trial besides its config; nothing here changes a bit of the result.
struct TrainerHooks {
  CheckpointObserver* meters = nullptr;   // called at each fraction of `fractions`
  GradientObserver* gradients = nullptr;  // called with every microbatch
  /// State of the gradient observer, kept in the checkpoint.
  std::function<nlohmann::json()> save_observer;
  std::function<void(const nlohmann::json&)> restore_observer;
  std::vector<std::string> opening_notes;   // recorded before the first step
  const std::atomic<bool>* stop = nullptr;  // set by a signal: checkpoint, then throw Interrupted
  double checkpoint_seconds = 30;
  double time_limit_seconds = 0;  // of this process; 0 = none
};

/// Thrown after a checkpoint when `stop` was set: the trial can be resumed.
struct Interrupted {};

/// Trains in `folder` (records.jsonl, timing.jsonl, checkpoint.safetensors, snapshots/), resuming
/// from the checkpoint there. The files are bit-identical however often the process was killed.
class Trainer {
 public:
  Trainer(std::function<std::shared_ptr<Objective>()> make, const TrainConfig& config,
          const Dataset& train, const Dataset& heldout, std::vector<double> fractions,
          std::filesystem::path folder, TrainerHooks hooks);

  /// completed, diverged (loss or gradient not finite, or the loss exploded), or timed_out.
  Outcome run();

  int64_t steps() const { return steps_; }

 private:
  Stepper::Result train_step();
  std::vector<NamedBuffer> buffers();  // of a checkpoint
  void measure_if_due();
  void record_step(const Stepper::Result& result);
  void record_timing();
  void checkpoint();
  void resume();
  std::optional<std::string> divergence(const Stepper::Result& result);
  Outcome finish(const std::string& status, const std::string& reason);
  Subject::State subject_state(double fraction) const;
  double seconds() const;

  std::function<std::shared_ptr<Objective>()> make_;
  const Dataset& train_;
  const Dataset& heldout_;
  std::vector<double> fractions_;
  std::filesystem::path folder_;
  TrainerHooks hooks_;

  Stepper stepper_;
  int64_t steps_ = 0;
  int64_t log_every_ = 1;
  Seed meters_seed_;

  Ledger ledger_;
  size_t measured_ = 0;    // fractions already measured
  double first_loss_ = 0;  // scale against which an explosion is judged
  double loss_sum_ = 0;    // since the last step record
  int64_t loss_count_ = 0;

  std::unique_ptr<RecordLog> records_, timing_;
  std::chrono::steady_clock::time_point started_, last_checkpoint_, last_timing_;
  int64_t started_at_step_ = 0;
  double measuring_seconds_ = 0;
};

}  // namespace assay
