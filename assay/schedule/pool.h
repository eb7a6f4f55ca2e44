// The local pool: trials to worker processes on this machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/core/error.h"
#include "assay/schedule/plan.h"

namespace assay {

/// How a trial stands when the pool is done with it.
struct TrialResult {
  std::string id, name;
  /// An outcome (completed | diverged | failed | timed_out), or
  /// stopped (begun, no outcome, resumable) | waiting (not begun).
  std::string status = "waiting";
  std::string reason;
  int64_t step = 0;
  bool ran = false;  // a worker was started for it in this run
};

struct PoolSettings {
  std::filesystem::path worker;
  std::filesystem::path study;  // the folder
  std::string base;
  int workers = 1;
  double grace_seconds = 120;  // from the first SIGTERM until a worker that does not stop is killed
  /// A worker that something kills with SIGKILL (an operator, the out-of-memory killer) resumes
  /// from its checkpoint, at most so often in a row without a new checkpoint.
  int restarts = 3;
  /// A trial whose lock another process still holds (a worker of a killed run, dying) is waited
  /// for.
  double lock_seconds = 10;
};

/// Told what happens, in the order in which it happens.
class PoolObserver {
 public:
  virtual ~PoolObserver() = default;
  virtual void on_start(const PlannedTrial& trial) = 0;
  virtual void on_restart(const PlannedTrial& trial, const std::string& why) = 0;
  virtual void on_end(const PlannedTrial& trial, const TrialResult& result) = 0;
  /// At most four times a second, while workers run.
  virtual void on_tick() = 0;
  /// A signal asks the pool to end; the second time it kills.
  virtual void on_stop(int signal, bool killing) = 0;
};

struct PoolReport {
  std::vector<TrialResult> results;  // in the order of the trials given
  int signal = 0;                    // that ended the run; 0 = none
  std::optional<Error> error;        // of the environment, which ended the run (full disk)
};

/// Runs every trial without an outcome, longest first. Returns when all have ended, when a signal
/// came and the workers have left their checkpoints, or when the environment stops them. The caller
/// holds the lock of the study folder.
PoolReport run_pool(const PoolSettings& settings, std::span<const PlannedTrial> trials,
                    PoolObserver& observer);

}  // namespace assay
