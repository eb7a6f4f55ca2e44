// Signal and noise of the gradient from the microbatches that training makes anyway.
#include "assay/tensor/torch.h"

#include "assay/measure/online_snr.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/measure/estimate_record.h"

namespace assay {
namespace {

constexpr double kDecay = .99;

}  // namespace

OnlineSnr::OnlineSnr(std::vector<Group> groups, int64_t microbatches,
                     int64_t examples_per_microbatch, double flops_per_example)
    : groups_(std::move(groups)),
      microbatches_(microbatches),
      examples_each_(examples_per_microbatch),
      flops_per_example_(flops_per_example),
      noise_(static_cast<int64_t>(groups_.size()), microbatches, examples_per_microbatch, kDecay),
      moments_(groups_.size()) {}

void OnlineSnr::microbatch(int64_t, std::span<const double> squared_norms) {
  pending_.insert(pending_.end(), squared_norms.begin(), squared_norms.end());
}

void OnlineSnr::batch(int64_t, std::span<const double> sum_squared) {
  // Cleared first: a step that is refused must not leave its microbatches to the next.
  const std::vector<double> squared_norms = std::exchange(pending_, {});
  noise_.add_step(squared_norms, sum_squared);
  add_moments();
}

void OnlineSnr::add_moments() {
  weight_ = kDecay * weight_ + 1;
  for (size_t g = 0; g < groups_.size(); ++g) {
    StepMoments& m = moments_[g];
    const double signal = noise_.last()[g].signal - m.signal;
    const double trace = noise_.last()[g].trace_total - m.trace;
    m.signal += signal / weight_;
    m.trace += trace / weight_;
    const double gain = 1 - 1 / weight_;
    m.signal_signal = kDecay * m.signal_signal + gain * signal * signal;
    m.signal_trace = kDecay * m.signal_trace + gain * signal * trace;
    m.trace_trace = kDecay * m.trace_trace + gain * trace * trace;
  }
}

std::vector<Measurement> OnlineSnr::measurements(const Subject& subject) const {
  std::vector<Measurement> out;
  if (weight_ == 0) return out;
  const std::vector<OnlineNoise::Value> values = noise_.average();
  for (size_t g = 0; g < groups_.size(); ++g) {
    const OnlineNoise::Value& value = values[g];
    const StepMoments& m = moments_[g];
    const double n = value.effective_steps;
    const auto examples =
        static_cast<int64_t>(std::llround(n * static_cast<double>(microbatches_ * examples_each_)));
    const auto add = [&](const std::string& quantity, const std::string& unit, double estimate,
                         double co_moment, double scale) {
      Measurement record = subject.measurement("online_snr", quantity, unit);
      record.labels = {{"group", groups_[g].name}, {"metric", "euclidean"}, {"weights", "live"}};
      record.method =
          "U-statistic of each step's microbatches, forgetting .99 per step; t over effective "
          "steps";
      Estimate interval{estimate * scale, NAN, NAN, NAN, examples};
      if (n > 1.5) {
        const double variance = std::max(co_moment, 0.0) / weight_ / (n - 1);
        interval = student_interval(estimate * scale, std::sqrt(variance) * scale, n - 1, examples);
      }
      out.push_back(with_estimate(std::move(record), interval));
    };
    const double ratio = value.snr_per_example, trace = value.trace_total;
    // Variance of a ratio of means: that of (signal − ratio · trace) / mean trace.
    const double ratio_moment =
        (m.signal_signal - 2 * ratio * m.signal_trace + ratio * ratio * m.trace_trace) /
        (trace * trace);
    add("signal", "squared gradient", value.signal, m.signal_signal, 1);
    add("total_variance", "squared gradient", trace, m.trace_trace, 1);
    add("snr_per_example", "1", ratio, ratio_moment, 1);
    add("snr_per_gflop", "1/GFLOP", ratio, ratio_moment, 1e9 / flops_per_example_);
  }
  return out;
}

nlohmann::json OnlineSnr::state() const {
  nlohmann::json moments = nlohmann::json::array();
  for (const StepMoments& m : moments_)
    moments.push_back({m.signal, m.trace, m.signal_signal, m.signal_trace, m.trace_trace});
  return {{"noise", noise_.state()}, {"weight", weight_}, {"moments", std::move(moments)}};
}

void OnlineSnr::restore(const nlohmann::json& state) {
  noise_.restore(state.at("noise").get<std::vector<double>>());
  weight_ = state.at("weight").get<double>();
  for (size_t g = 0; g < moments_.size(); ++g) {
    const auto& m = state.at("moments").at(g);
    moments_[g] = {m.at(0), m.at(1), m.at(2), m.at(3), m.at(4)};
  }
  pending_.clear();
}

}  // namespace assay
