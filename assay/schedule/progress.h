// How far a run is: percentage by FLOPs, and an estimate of the time left from measured rates.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "assay/schedule/plan.h"

namespace assay {

/// Pure arithmetic on FLOPs and seconds; fed by the folder, printed by the command line.
class Progress {
 public:
  Progress(std::vector<PlannedTrial> trials, int workers);

  /// Where trial i stands. `ended` counts its whole budget as done.
  void update(size_t i, int64_t step, bool ended);
  /// Call once when the run begins, after the state of the folder was fed: rates count from here.
  void begin();

  double fraction() const;  // of all FLOPs, in [0, 1]
  /// Seconds left, `elapsed` after begin(); nothing until a tenth of a per cent has been done since
  /// then. The larger of: all that remains at the measured total rate; the longest trial left on
  /// one worker.
  std::optional<double> seconds_left(double elapsed, int running) const;

  size_t ended() const { return ended_; }
  size_t size() const { return trials_.size(); }

 private:
  std::vector<PlannedTrial> trials_;
  std::vector<double> shares_, at_begin_;  // of each trial's FLOPs
  std::vector<bool> over_;
  int workers_;
  size_t ended_ = 0;
};

}  // namespace assay
