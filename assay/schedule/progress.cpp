// Percentages and the time left.
#include "assay/schedule/progress.h"

#include <algorithm>

namespace assay {

Progress::Progress(std::vector<PlannedTrial> trials, int workers)
    : trials_(std::move(trials)),
      shares_(trials_.size(), 0.0),
      at_begin_(trials_.size(), 0.0),
      over_(trials_.size(), false),
      workers_(workers) {}

void Progress::update(size_t i, int64_t step, bool ended) {
  const auto steps = static_cast<double>(std::max<int64_t>(1, trials_[i].steps));
  shares_[i] = std::clamp(static_cast<double>(step) / steps, 0.0, 1.0);
  if (ended && !over_[i]) {
    over_[i] = true;
    ++ended_;
  }
}

void Progress::begin() {
  for (size_t i = 0; i < trials_.size(); ++i) at_begin_[i] = over_[i] ? 1.0 : shares_[i];
}

double Progress::fraction() const {
  double done = 0, all = 0;
  for (size_t i = 0; i < trials_.size(); ++i) {
    done += trials_[i].flops * (over_[i] ? 1.0 : shares_[i]);
    all += trials_[i].flops;
  }
  return all > 0 ? done / all : 1.0;
}

std::optional<double> Progress::seconds_left(double elapsed, int running) const {
  double worked = 0, left = 0, longest = 0, all = 0;
  for (size_t i = 0; i < trials_.size(); ++i) {
    const double flops = trials_[i].flops;
    all += flops;
    // What a diverged trial left undone is neither work nor still to do.
    worked += flops * std::max(0.0, std::min(shares_[i], 1.0) - at_begin_[i]);
    if (over_[i]) continue;
    left += flops * (1 - shares_[i]);
    longest = std::max(longest, flops * (1 - shares_[i]));
  }
  if (elapsed <= 0 || worked <= 1e-3 * all) return std::nullopt;
  const double rate = worked / elapsed;
  const int active = std::clamp(running, 1, std::max(1, workers_));
  return std::max(left / rate, longest / (rate / active));
}

}  // namespace assay
