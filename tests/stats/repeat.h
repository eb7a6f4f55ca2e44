// Repeated measurements of a source, and the averages that are compared with closed forms.
#pragma once

#include <functional>
#include <vector>

#include "assay/stats/noise_view.h"
#include "stats/sources.h"

namespace assay::testing {

using Visit = std::function<void(const NoiseView&)>;

// `repetitions` independent measurements, each on fresh examples and draws.
inline void repeat(GradientSource& source, const NoisePlan& plan, int64_t repetitions,
                   const Visit& visit) {
  const int64_t count = plan.units * plan.examples_per_unit;
  for (int64_t i = 0; i < repetitions; ++i) {
    visit(measure_noise(source, consecutive(i * count, count), plan,
                        Seed(100).child(static_cast<uint64_t>(i)), 0.5));
  }
}

struct Averages {
  Moments signal, data, objective, total;
  void add(const NoiseEstimate& e) {
    signal.add(e.signal.value);
    data.add(e.trace_data.value);
    objective.add(e.trace_objective.value);
    total.add(e.trace_total.value);
  }
};

/// G with |G|² = signal, λ_A = 1, λ_E constant.
inline GaussianSource gaussian(Eigen::Index size, double signal, double objective_variance) {
  Vector mean = Vector::Constant(size, std::sqrt(signal / static_cast<double>(size)));
  return {mean, Vector::Ones(size), Vector::Constant(size, objective_variance)};
}

}  // namespace assay::testing
