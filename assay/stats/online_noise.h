// Signal and noise from the microbatches that training makes anyway.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace assay {

/// Per group, from m squared norms |g_j|² of microbatch mean gradients and |Σ_j g_j|²: unbiased for
/// |G|² and for the total tr Σ of one example (McCandlish et al. 2018, appendix A.2, in its
/// U-form). Steps are averaged with exponential forgetting, signal and trace apart: a ratio of
/// means.
///
/// It pools parameters that move: at live weights most of |G|² can be bounce. A diagnostic of
/// training, not a substitute for measure_noise().
class OnlineNoise {
 public:
  struct Value {
    double signal = 0;           // |G|², never clamped
    double trace_total = 0;      // tr Σ per example
    double snr_per_example = 0;  // signal / trace_total; NaN before the first step
    double effective_steps = 0;  // (Σ w)² / Σ w² of the forgetting weights
  };

  /// decay in [0, 1): weight of the past per step. Throws Error stats.plan (m >= 2, b >= 1).
  OnlineNoise(int64_t groups, int64_t microbatches, int64_t examples_per_microbatch, double decay);

  /// squared_norms [microbatches × groups], row-major; sum_squared [groups] = |Σ_j g_j|². A step
  /// with a number that is not finite throws Error stats.not_finite and changes nothing.
  void add_step(std::span<const double> squared_norms, std::span<const double> sum_squared);

  /// Of the last step alone (effective_steps = 1) and of the forgetting average. [groups]
  const std::vector<Value>& last() const { return last_; }
  std::vector<Value> average() const;

  /// All state, for a checkpoint: [2 + 2 × groups] numbers. restore() throws Error stats.size.
  std::vector<double> state() const;
  void restore(std::span<const double> state);

 private:
  int64_t groups_, microbatches_, examples_;
  double decay_, weight_ = 0, weight_squared_ = 0;
  std::vector<double> signal_, trace_;  // weighted sums
  std::vector<Value> last_;
};

}  // namespace assay
