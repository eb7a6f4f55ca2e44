// What `assay run` says while it works: a live line on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "apps/assay/command.h"
#include "assay/schedule/pool.h"
#include "assay/schedule/progress.h"

namespace assay::cli {

class RunProgress : public PoolObserver {
 public:
  RunProgress(std::filesystem::path study, const std::vector<PlannedTrial>& trials, int workers,
              const Globals& globals);

  void on_start(const PlannedTrial& trial) override;
  void on_restart(const PlannedTrial& trial, const std::string& why) override;
  void on_end(const PlannedTrial& trial, const TrialResult& result) override;
  void on_tick() override;
  void on_stop(int signal, bool killing) override;

  /// Wipes the live line.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  size_t index_of(const PlannedTrial& trial) const;
  double elapsed() const;
  void read_running();
  std::string overview() const;  // "3/8 ended, 62%, 4 min left"
  std::string live_line() const;
  void line(const std::string& text);

  std::filesystem::path study_;
  std::vector<PlannedTrial> trials_;
  const Globals& globals_;
  bool live_, shown_ = false, stopping_ = false;
  int workers_;
  Progress progress_;
  std::map<size_t, std::string> running_;  // trial -> "step 310/1500, loss 0.41"
  std::map<std::string, int64_t> ended_;   // status -> count
  Clock::time_point begun_ = Clock::now(), last_line_ = begun_, last_read_{};
};

}  // namespace assay::cli
