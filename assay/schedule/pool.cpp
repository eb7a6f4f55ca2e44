// The loop: start workers, wait for signals, judge the ends.
#include "assay/schedule/pool.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "assay/schedule/signal_inbox.h"
#include "assay/schedule/verdict.h"
#include "assay/schedule/worker_process.h"
#include "assay/store/files.h"
#include "assay/store/study_folder.h"

namespace assay {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Changes whenever a new checkpoint is renamed into place.
std::pair<ino_t, time_t> checkpoint_identity(const fs::path& trial) {
  struct stat info {};
  if (::stat((trial / "checkpoint.safetensors").c_str(), &info) < 0) return {};
  return {info.st_ino, info.st_mtime};
}

class Pool {
 public:
  Pool(const PoolSettings& settings, std::span<const PlannedTrial> trials, PoolObserver& observer)
      : settings_(settings), trials_(trials), observer_(observer), tasks_(trials.size()) {
    report_.results.resize(trials.size());
    for (size_t i = 0; i < trials.size(); ++i) admit(i);
    std::ranges::stable_sort(
        queue_, [&](size_t a, size_t b) { return trials_[a].flops > trials_[b].flops; });
  }

  PoolReport run() {
    while (!finished()) {
      start_workers();
      for (const int signal : inbox_.wait(std::chrono::milliseconds(250))) handle(signal);
      reap();
      if (stopping_ && !killing_ && since(stopped_at_) > settings_.grace_seconds) kill_all();
      if (!running_.empty()) observer_.on_tick();
    }
    return std::move(report_);
  }

 private:
  struct Task {
    std::unique_ptr<WorkerProcess> process;
    int kills = 0;  // in a row, without a new checkpoint
    std::pair<ino_t, time_t> checkpoint;
    std::optional<Clock::time_point> locked_since;
    Clock::time_point not_before{};
  };

  fs::path folder(size_t i) const { return settings_.study / "trials" / trials_[i].id; }
  bool halted() const { return stopping_ || report_.error; }
  bool finished() const { return running_.empty() && (queue_.empty() || halted()); }

  // A worker that was killed between its outcome and its end leaves its name in .lock; taking and
  // releasing the lock wipes it, as an uninterrupted worker does.
  void wipe_lock(size_t i) const {
    std::error_code ignored;
    const auto size = fs::file_size(folder(i) / ".lock", ignored);
    if (ignored || size == 0) return;
    try {
      const FolderLock lock(folder(i));
    } catch (const Error&) {
      return;  // it is held after all
    }
  }

  // Takes the trial's state from the folder; queues it unless it has ended.
  void admit(size_t i) {
    const TrialFolder trial = read_trial_folder(folder(i), ReadDepth::progress);
    TrialResult& result = report_.results[i];
    result = {trials_[i].id, trials_[i].name, trial.status, "", trial.step, false};
    if (trial.ended()) {
      result.reason = trial.outcome->reason;
      wipe_lock(i);
    } else {
      if (result.status == "running") result.status = "stopped";  // a worker that is dying
      queue_.push_back(i);
    }
  }

  void start_workers() {
    const auto now = Clock::now();
    while (!halted() && std::ssize(running_) < settings_.workers) {
      const auto next =
          std::ranges::find_if(queue_, [&](size_t i) { return tasks_[i].not_before <= now; });
      if (next == queue_.end()) return;
      const size_t i = *next;
      queue_.erase(next);
      start(i);
    }
  }

  void start(size_t i) {
    // Looked at before its log is emptied; the worker takes the lock itself.
    if (const std::string holder = lock_holder(folder(i)); !holder.empty())
      return wait_for_lock(i, fmt::format("another process works on it: {}", holder));
    tasks_[i].checkpoint = checkpoint_identity(folder(i));
    try {
      tasks_[i].process = std::make_unique<WorkerProcess>(
          settings_.worker,
          std::vector<std::string>{"train", "--trial", folder(i).string(), "--base",
                                   settings_.base},
          folder(i) / "log.txt");
    } catch (const Error& error) {
      report_.error = error;
      return;
    }
    running_.push_back(i);
    if (!std::exchange(report_.results[i].ran, true)) observer_.on_start(trials_[i]);
  }

  void handle(int signal) {
    if (signal == SIGCHLD) return;  // reap() looks at every worker
    if (signal == SIGTSTP) {        // Ctrl-Z: the workers sleep with us
      for (const size_t i : running_) tasks_[i].process->send(SIGSTOP);
      ::raise(SIGSTOP);
      for (const size_t i : running_) tasks_[i].process->send(SIGCONT);
      return;
    }
    if (stopping_) return kill_all();
    stopping_ = true;
    stopped_at_ = Clock::now();
    report_.signal = signal;
    observer_.on_stop(signal, false);
    for (const size_t i : running_) tasks_[i].process->send(SIGTERM);
  }

  void kill_all() {
    if (std::exchange(killing_, true)) return;
    observer_.on_stop(report_.signal, true);
    for (const size_t i : running_) tasks_[i].process->send(SIGKILL);
  }

  void reap() {
    for (const size_t i : std::vector(running_)) {
      const auto end = tasks_[i].process->poll();
      if (!end) continue;
      std::erase(running_, i);
      tasks_[i].process.reset();
      settle(i, *end);
    }
  }

  void settle(size_t i, const ProcessEnd& end) {
    const WorkerEnd worker = judge(folder(i), end);
    switch (worker.verdict) {
      case Verdict::ended:
        return finish(i, "", "");
      case Verdict::stopped:
        return finish(i, "stopped", worker.reason);
      case Verdict::killed:
        return resume_or_leave(i, worker.reason);
      case Verdict::locked:
        return wait_for_lock(i, worker.reason);
      case Verdict::environment:
        report_.error = worker.error.value_or(Error("environment.worker", worker.reason));
        return finish(i, "stopped", worker.reason);
      case Verdict::crashed:
        return fail(i, worker.reason);
    }
  }

  // Fills the result from the folder. status: empty = as outcome.json says.
  void finish(size_t i, const std::string& status, const std::string& reason) {
    const TrialFolder trial = read_trial_folder(folder(i), ReadDepth::progress);
    if (trial.ended()) wipe_lock(i);
    TrialResult& result = report_.results[i];
    result.step = trial.step;
    result.status = status.empty() ? trial.status : status;
    result.reason = trial.outcome ? trial.outcome->reason : reason;
    observer_.on_end(trials_[i], result);
  }

  void fail(size_t i, const std::string& reason) {
    const int64_t step = read_trial_folder(folder(i), ReadDepth::progress).step;
    try {
      write_atomically(folder(i) / "outcome.json",
                       to_json(Outcome{"failed", reason, step}).dump(2) + "\n");
      finish(i, "", "");
    } catch (const Error& error) {  // no room for the outcome: the trial stays resumable
      report_.error = error;
      finish(i, "stopped", reason);
    }
  }

  void resume_or_leave(size_t i, const std::string& reason) {
    Task& task = tasks_[i];
    task.kills = checkpoint_identity(folder(i)) == task.checkpoint ? task.kills + 1 : 1;
    if (halted() || task.kills > settings_.restarts) {
      return finish(i, "stopped",
                    fmt::format("{} (out of memory?); the same command resumes it", reason));
    }
    observer_.on_restart(trials_[i], reason);
    queue_.push_front(i);
  }

  void wait_for_lock(size_t i, const std::string& reason) {
    Task& task = tasks_[i];
    if (!task.locked_since) task.locked_since = Clock::now();
    if (halted() || since(*task.locked_since) > settings_.lock_seconds)
      return finish(i, "stopped", reason);
    task.not_before = Clock::now() + std::chrono::milliseconds(300);
    queue_.push_front(i);
  }

  const PoolSettings& settings_;
  std::span<const PlannedTrial> trials_;
  PoolObserver& observer_;
  SignalInbox inbox_;  // before any worker starts
  std::vector<Task> tasks_;
  std::deque<size_t> queue_;
  std::vector<size_t> running_;
  bool stopping_ = false, killing_ = false;
  Clock::time_point stopped_at_;
  PoolReport report_;
};

}  // namespace

PoolReport run_pool(const PoolSettings& settings, std::span<const PlannedTrial> trials,
                    PoolObserver& observer) {
  return Pool(settings, trials, observer).run();
}

}  // namespace assay
