// Nested analysis of variance from a centred Gram matrix, with delete-one-unit intervals in O(m²).
#include "assay/stats/nested_anova.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "assay/core/error.h"
#include "assay/stats/signal_interval.h"

namespace assay {
namespace {

// All that the estimators need of m units.
struct Sums {
  double m = 0;
  double mean_squared = 0;  // |ḡ|²
  double trace = 0;         // Σ |d_i|²
  double squares = 0;       // Σ_ij (d_i·d_j)²
  double quartic = 0;       // Σ |d_i|⁴
  double within = 0;        // mean of W_u
  double patterns = 0;      // mean of V_u
};

enum Quantity {
  signal,
  data,
  objective,
  total,
  share,
  snr,
  dimension,
  level,
  pattern,
  level_share,
  quantities
};
using Values = std::array<double, quantities>;

// Unbiased for tr Σ_u² and (tr Σ_u)² under any distribution with four moments (Himeno and Yamada,
// "Estimations for some functions of covariance matrix in high dimension under non-normality",
// J. Multivariate Analysis 130, 2014); needs m >= 4.
struct TraceSquares {
  double of_square, squared;
};
TraceSquares trace_squares(const Sums& s) {
  const double m = s.m, n = s.m - 1;
  const double trace = s.trace / n, square = s.squares / (n * n), quartic = s.quartic / n;
  const double factor = n / (m * (m - 2) * (m - 3));
  return {factor * (n * (m - 2) * square + trace * trace - m * quartic),
          factor * (2 * square + (m * m - 3 * m + 1) * trace * trace - m * quartic)};
}

struct Design {
  double b, r, q;     // examples per unit, draws or levels, patterns of a level
  double fraction;    // n/N
  double population;  // (N − 1)/N: from the unbiased divisor to the population's own
};

Design design_of(const NestedUnits& units) {
  Design d{static_cast<double>(units.examples_per_unit), static_cast<double>(units.draws),
           static_cast<double>(units.patterns), 0, 1};
  if (units.population) {
    const double size = static_cast<double>(*units.population);
    d.fraction = d.b * static_cast<double>(units.means.count) / size;
    d.population = (size - 1) / size;
  }
  return d;
}

// E V_u = r (q − 1) tr Σ_P / b, E W_u = (r − 1) (tr Σ_L + tr Σ_P / q) / b, and
// E Σ|d_u|² = (m − 1) (tr Σ_A + (tr Σ_L + tr Σ_P / q) / r) / b. With one pattern to a level, the
// objective part is tr Σ_L + tr Σ_P undivided. Of a population without replacement only
// 1 − n/N of tr Σ_A is in |ḡ|².
Values values_of(const Sums& s, const Design& d) {
  Values v{};
  const double between = s.trace / (s.m - 1), drawn = d.b * s.within / (d.r - 1);
  v[pattern] = d.q > 1 ? d.b * s.patterns / (d.r * (d.q - 1)) : 0;
  v[level] = drawn - v[pattern] / d.q;
  v[objective] = v[level] + v[pattern];
  const double spread = d.b * between - drawn / d.r;
  v[data] = d.population * spread;
  v[total] = v[data] + v[objective];
  v[signal] = s.mean_squared - (between - d.fraction * spread / d.b) / s.m;
  v[share] = v[objective] / v[total];
  v[level_share] = v[level] / v[total];
  v[snr] = v[signal] / v[total];
  const TraceSquares t = trace_squares(s);
  v[dimension] = t.squared / t.of_square;
  return v;
}

Sums sums_of(const NestedUnits& units) {
  const CentredGram& gram = units.means;
  const size_t m = static_cast<size_t>(gram.count);
  Sums s{.m = static_cast<double>(m), .mean_squared = gram.mean_squared};
  for (size_t i = 0; i < m; ++i) {
    const double norm = gram.centred[i * m + i];
    s.trace += norm;
    s.quartic += norm * norm;
    s.within += units.within[i] / s.m;
    if (units.patterns > 1) s.patterns += units.within_level[i] / s.m;
  }
  for (const double product : gram.centred) s.squares += product * product;
  return s;
}

// The sums without unit k. With a = 1/(m − 1) the others' mean is ḡ − a d_k, so that their
// deviations are d_i + a d_k; rows of the centred Gram matrix add to zero, which removes all double
// sums.
Sums sums_without(const NestedUnits& units, const Sums& all, size_t k) {
  const CentredGram& gram = units.means;
  const size_t m = static_cast<size_t>(gram.count);
  const double a = 1 / (all.m - 1), own = gram.centred[k * m + k];
  double row_squares = 0, quartic = 0;
  for (size_t i = 0; i < m; ++i) {
    const double product = gram.centred[k * m + i];
    row_squares += product * product;
    if (i == k) continue;
    const double norm = gram.centred[i * m + i] + 2 * a * product + a * a * own;
    quartic += norm * norm;
  }
  return {.m = all.m - 1,
          .mean_squared = all.mean_squared - 2 * a * gram.mean_dot[k] + a * a * own,
          .trace = all.trace - (1 + a) * own,
          .squares = all.squares - 2 * (1 + a) * row_squares + (1 + a) * (1 + a) * own * own,
          .quartic = quartic,
          .within = (all.within * all.m - units.within[k]) / (all.m - 1),
          .patterns = units.patterns > 1
                          ? (all.patterns * all.m - units.within_level[k]) / (all.m - 1)
                          : 0};
}

void require_consistent(const NestedUnits& units) {
  const size_t m = static_cast<size_t>(units.means.count);
  if (units.within.size() != m || units.means.mean_dot.size() != m ||
      units.means.centred.size() != m * m ||
      units.within_level.size() != (units.patterns > 1 ? m : 0)) {
    throw Error("stats.size", "sums of squares and Gram matrix disagree on the number of units");
  }
  const int64_t examples = units.examples_per_unit * units.means.count;
  if (units.population && *units.population < examples) {
    throw Error("stats.population",
                fmt::format("{} distinct examples cannot come from a population of {}", examples,
                            *units.population),
                "state the number of examples that the sample was drawn from");
  }
}

// Share of the covariance of ḡ that a sample of a finite population has.
double shrink_of(const Sums& s, const Values& v, const Design& d) {
  const double between = s.trace / (s.m - 1);
  if (!(between > 0)) return 1;
  return std::clamp(1 - d.fraction * v[data] / (d.population * d.b * between), 0.0, 1.0);
}

// Simulated (tests/stats/coverage_test.cpp): the fewest units with which the intervals of signal
// and SNR are at most 1.3 times as wide as those of an oracle. They hold at fewer, but say less.
int64_t units_advised(double units, double dimension) {
  const int64_t enough = dimension < 10 ? 32 : 16;
  return units < static_cast<double>(enough) ? enough : 0;
}

SignalSample sample_of(const NestedUnits& units, const Sums& s, const Values& v, const Design& d) {
  const size_t m = static_cast<size_t>(units.means.count);
  SignalSample sample{.units = &units.means,
                      .signal = v[signal],
                      .trace = s.trace / (s.m - 1),
                      .trace_square = trace_squares(s).of_square,
                      .unit_trace = {},
                      .total = {},
                      .trace_in_total = d.population * d.b,
                      .shrink = shrink_of(s, v, d)};
  for (size_t j = 0; j < m; ++j) {
    const double own = units.means.centred[j * m + j] * s.m / (s.m - 1);
    const double drawn = d.b * units.within[j] / (d.r - 1);
    const double of_pattern =
        d.q > 1 ? d.b * units.within_level[j] / (d.r * (d.q - 1)) * (1 - 1 / d.q) : 0;
    sample.unit_trace.push_back(own);
    sample.total.push_back(d.population * (d.b * own - drawn / d.r) + drawn + of_pattern);
  }
  return sample;
}

}  // namespace

NoiseEstimate estimate_noise(const NestedUnits& units) {
  require_consistent(units);
  const size_t m = static_cast<size_t>(units.means.count);
  if (m < 5 || units.draws < 2) {
    throw Error("stats.too_few_units",
                fmt::format("{} units of {} draws cannot give an interval", m, units.draws),
                "measure at least 5 units with at least 2 draws each");
  }
  const Design design = design_of(units);
  const Sums all = sums_of(units);
  const Values v = values_of(all, design);
  std::array<std::vector<double>, quantities> without;
  for (size_t k = 0; k < m; ++k) {
    const Values one_less = values_of(sums_without(units, all, k), design);
    for (size_t q = 0; q < quantities; ++q) without[q].push_back(one_less[q]);
  }
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
  const NestedUnits nested{.means = units,
                           .within = std::vector<double>(static_cast<size_t>(units.count), 0.0)};
  require_consistent(nested);
  const Design design = design_of(nested);
  const Sums sums = sums_of(nested);
  return zero_signal_p_value(sample_of(nested, sums, values_of(sums, design), design));
}

}  // namespace assay
