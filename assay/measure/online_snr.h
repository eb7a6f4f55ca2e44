// Signal and noise of the gradient from the microbatches that training makes anyway.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>

#include "assay/stats/online_noise.h"
#include "assay/train/subject.h"

namespace assay {

/// Feeds OnlineNoise (assay/stats) from the trainer; costs a few additions a step. One draw an
/// example, so it sees |G|² and the total tr Σ at live weights, not its data and objective shares.
/// Averages forget with .99 per step: about 200 effective steps.
class OnlineSnr : public GradientObserver {
 public:
  /// groups: FlatParameters::groups(); flops_per_example: of a training pass, for the SNR per
  /// GFLOP.
  OnlineSnr(std::vector<Group> groups, int64_t microbatches, int64_t examples_per_microbatch,
            double flops_per_example);

  void microbatch(int64_t step, std::span<const double> squared_norms) override;
  void batch(int64_t step, std::span<const double> sum_squared) override;

  /// signal, total_variance, snr_per_example, snr_per_gflop per group, meter "online_snr", labels
  /// weights = live, metric = euclidean; empty before the first step. n = effective examples.
  /// Intervals: Student t over effective steps; drift within the window widens them, and what
  /// batches of neighbouring steps share by the bounce is in the value, not in the interval.
  std::vector<Measurement> measurements(const Subject& subject) const;

  /// Exact round trip, kept in the checkpoint.
  nlohmann::json state() const;
  void restore(const nlohmann::json& state);

 private:
  /// Forgetting means and co-moments of one step's (signal, trace) (West 1979, weights falling in
  /// time).
  struct StepMoments {
    double signal = 0, trace = 0;
    double signal_signal = 0, signal_trace = 0, trace_trace = 0;
  };
  void add_moments();

  std::vector<Group> groups_;
  int64_t microbatches_, examples_each_;
  double flops_per_example_;
  OnlineNoise noise_;
  double weight_ = 0;  // Σ of the forgetting weights
  std::vector<StepMoments> moments_;
  std::vector<double> pending_;  // [microbatches × groups] of the step under way
};

}  // namespace assay
