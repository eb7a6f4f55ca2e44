// Estimates and intervals of the nested analysis of variance.
#include "assay/stats/nested_anova.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "assay/core/error.h"
#include "assay/stats/nested_values.h"

namespace assay {
namespace {

using namespace nested;

// Simulated (tests/stats/coverage_test.cpp). Gaussian gradients need no more than 8 units, down to
// dimension 1. Where few directions carry the noise, nothing averages skewed gradients except the
// units: exponential ones are covered with .93 and more by 16 units at dimension 3, but at
// dimension 1 with .89 by 64 units and .93 by 256.
int64_t units_advised(double units, double dimension) {
  const int64_t enough = dimension > 0 && dimension < 2 ? 256 : dimension < 10 ? 32 : 16;
  return units < static_cast<double>(enough) ? enough : 0;
}

}  // namespace

NoiseEstimate estimate_noise(const NestedUnits& units) {
  require_consistent(units);
  const size_t m = static_cast<size_t>(units.means.count);
  if (m < 5 || units.draws < 1 || (units.draws == 1 && units.patterns > 1)) {
    throw Error("stats.too_few_units",
                fmt::format("{} units of {} draws cannot give an interval", m, units.draws),
                "measure at least 5 units, with at least 2 draws each to split the variance");
  }
  const Design design = design_of(units);
  const Sums all = sums_of(units);
  const Values v = values_of(all, design);
  const WithoutOne without = without_one(units, all, design);
  const double shrink = shrink_of(all, v, design);
  const auto plain = [&](Quantity q, double factor) {
    return student_interval(v[q], std::sqrt(factor * jackknife_variance(without[q])), all.m - 1,
                            units.means.count);
  };
  // |ḡ|² − tr/m is a U-statistic: its degenerate part has the variance 2 tr Σ_u²/(m (m − 1)), which
  // the jackknife counts twice. One of the two is taken off, but never both.
  const double degenerate = 2 * trace_squares(all).of_square / (all.m * (all.m - 1));
  const SignalLimits limits = signal_limits(sample_of(units, all, v, design));
  const auto inverted = [&](Quantity q, double once, const Limits& l) {
    const double variance = std::max(jackknife_variance(without[q]) - once, once);
    return Estimate{v[q], l.low, l.high, std::sqrt(shrink * variance), units.means.count};
  };
  NoiseEstimate out{
      .signal = inverted(signal, degenerate, limits.signal),
      .trace_data = plain(data, shrink),
      .trace_objective = plain(objective, 1),
      .trace_total = plain(total, shrink),
      .objective_share = plain(share, shrink),
      .snr_per_example = inverted(snr, degenerate / (v[total] * v[total]), limits.snr),
      .effective_dimension = plain(dimension, 1),
      .levels = std::nullopt,
      .units_advised = units_advised(all.m, v[dimension])};
  if (units.patterns > 1)
    out.levels = {plain(level, 1), plain(pattern, 1), plain(level_share, shrink)};
  return out;
}

NoiseEstimate exact_noise(const NestedUnits& units) {
  require_consistent(units);
  if (units.examples_per_unit != 1 || units.means.count < 1 || units.draws < 1) {
    throw Error("stats.exhaustive", "a population is enumerated one example to a unit",
                "set examples_per_unit = 1");
  }
  const Sums s = sums_of(units);
  const double draws = static_cast<double>(units.draws), between = s.trace / s.m;
  const double of_level = s.within / draws;
  const double of_pattern = s.patterns / (draws * static_cast<double>(units.patterns));
  const double within = of_level + of_pattern, whole = between + within;
  const auto exact = [&](double value) {
    return Estimate{value, value, value, 0, units.means.count};
  };
  const double square = s.squares / (s.m * s.m);
  NoiseEstimate out{.signal = exact(s.mean_squared),
                    .trace_data = exact(between),
                    .trace_objective = exact(within),
                    .trace_total = exact(whole),
                    .objective_share = exact(within / whole),
                    .snr_per_example = exact(s.mean_squared / whole),
                    .effective_dimension = exact(between * between / square),
                    .levels = std::nullopt,
                    .units_advised = 0};
  if (units.patterns > 1)
    out.levels = {exact(of_level), exact(of_pattern), exact(of_level / whole)};
  return out;
}

double zero_signal_p_value(const CentredGram& units) {
  const NestedUnits as_nested{.means = units,
                              .within = std::vector<double>(static_cast<size_t>(units.count), 0.0)};
  require_consistent(as_nested);
  const Design design = design_of(as_nested);
  const Sums sums = sums_of(as_nested);
  return zero_signal_p_value(sample_of(as_nested, sums, values_of(sums, design), design));
}

}  // namespace assay
