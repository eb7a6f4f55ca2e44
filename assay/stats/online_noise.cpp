// A few additions per step: signal and noise of training's own microbatches.
#include "assay/stats/online_noise.h"

#include <cmath>
#include <limits>

#include "assay/core/error.h"

namespace assay {

OnlineNoise::OnlineNoise(int64_t groups, int64_t microbatches, int64_t examples_per_microbatch,
                         double decay)
    : groups_(groups),
      microbatches_(microbatches),
      examples_(examples_per_microbatch),
      decay_(decay),
      signal_(static_cast<size_t>(groups), 0.0),
      trace_(static_cast<size_t>(groups), 0.0),
      last_(static_cast<size_t>(groups)) {
  if (groups < 0 || microbatches < 2 || examples_per_microbatch < 1 || !(decay >= 0 && decay < 1)) {
    throw Error("stats.plan", "online SNR needs at least 2 microbatches and a decay in [0, 1)");
  }
  const double none = std::numeric_limits<double>::quiet_NaN();
  for (Value& value : last_) value = {none, none, none, 0};
}

void OnlineNoise::add_step(std::span<const double> squared_norms,
                           std::span<const double> sum_squared) {
  const size_t groups = static_cast<size_t>(groups_);
  if (squared_norms.size() != groups * static_cast<size_t>(microbatches_) ||
      sum_squared.size() != groups) {
    throw Error("stats.size", "squared norms are not microbatches × groups");
  }
  const double m = static_cast<double>(microbatches_), b = static_cast<double>(examples_);
  std::vector<Value> step(groups);
  for (size_t group = 0; group < groups; ++group) {
    double sum = 0;
    for (size_t i = group; i < squared_norms.size(); i += groups) sum += squared_norms[i];
    const double signal = (sum_squared[group] - sum) / (m * (m - 1));
    const double trace = b * (sum - sum_squared[group] / m) / (m - 1);
    if (!std::isfinite(signal) || !std::isfinite(trace)) {
      throw Error("stats.not_finite", "a gradient norm is not finite");
    }
    step[group] = {signal, trace, signal / trace, 1};
  }
  weight_ = decay_ * weight_ + 1;
  weight_squared_ = decay_ * decay_ * weight_squared_ + 1;
  for (size_t group = 0; group < groups; ++group) {
    signal_[group] = decay_ * signal_[group] + step[group].signal;
    trace_[group] = decay_ * trace_[group] + step[group].trace_total;
  }
  last_ = std::move(step);
}

std::vector<OnlineNoise::Value> OnlineNoise::average() const {
  std::vector<Value> out;
  for (size_t group = 0; group < signal_.size(); ++group) {
    out.push_back({signal_[group] / weight_, trace_[group] / weight_,
                   signal_[group] / trace_[group],
                   weight_squared_ > 0 ? weight_ * weight_ / weight_squared_ : 0});
  }
  return out;
}

std::vector<double> OnlineNoise::state() const {
  std::vector<double> out = {weight_, weight_squared_};
  out.insert(out.end(), signal_.begin(), signal_.end());
  out.insert(out.end(), trace_.begin(), trace_.end());
  return out;
}

void OnlineNoise::restore(std::span<const double> state) {
  const size_t groups = static_cast<size_t>(groups_);
  if (state.size() != 2 + 2 * groups) throw Error("stats.size", "state of another online SNR");
  weight_ = state[0];
  weight_squared_ = state[1];
  signal_.assign(state.begin() + 2, state.begin() + 2 + groups_);
  trace_.assign(state.begin() + 2 + groups_, state.end());
}

}  // namespace assay
