// Nested analysis of variance from a centred Gram matrix, and without one unit in O(m).
#include "assay/stats/nested_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "assay/core/error.h"

namespace assay::nested {

// Unbiased for tr Σ_u² and (tr Σ_u)² under any distribution with four moments (Himeno and Yamada,
// "Estimations for some functions of covariance matrix in high dimension under non-normality",
// J. Multivariate Analysis 130, 2014); needs m >= 4.
TraceSquares trace_squares(const Sums& s) {
  const double m = s.m, n = s.m - 1;
  const double trace = s.trace / n, square = s.squares / (n * n), quartic = s.quartic / n;
  const double factor = n / (m * (m - 2) * (m - 3));
  return {factor * (n * (m - 2) * square + trace * trace - m * quartic),
          factor * (2 * square + (m * m - 3 * m + 1) * trace * trace - m * quartic)};
}

Design design_of(const NestedUnits& units) {
  Design d{static_cast<double>(units.examples_per_unit),
           static_cast<double>(units.draws),
           static_cast<double>(units.patterns),
           0,
           1,
           static_cast<double>(units.blocks)};
  if (units.population) {
    const double size = static_cast<double>(*units.population);
    d.fraction = d.b * static_cast<double>(units.means.count) / size;
    d.population = (size - 1) / size;
  }
  return d;
}

// Trace of the covariance of a unit mean, from the m units and the mk that they merge.
double between_units(const Sums& s, const Design& d) {
  return (s.trace + s.blocks) / (s.m * d.blocks - 1);
}

// (r − 1)-th part of b W_u: what draws add to one example.
double of_draws(double within, const Design& d) { return d.r > 1 ? d.b * within / (d.r - 1) : 0; }

// E V_u = r (q − 1) tr Σ_P / b, E W_u = (r − 1) (tr Σ_L + tr Σ_P / q) / b, and
// E Σ|d_u|² = (m − 1) (tr Σ_A + (tr Σ_L + tr Σ_P / q) / r) / b. With one pattern to a level, the
// objective part is tr Σ_L + tr Σ_P undivided. Of a population without replacement only
// 1 − n/N of tr Σ_A is in |ḡ|². One draw tells the total only: b · between is all of it.
Values values_of(const Sums& s, const Design& d) {
  Values v{};
  const double between = between_units(s, d), drawn = of_draws(s.within, d);
  v[pattern] = d.q > 1 ? d.b * s.patterns / (d.r * (d.q - 1)) : 0;
  v[level] = drawn - v[pattern] / d.q;
  v[objective] = v[level] + v[pattern];
  const double spread = d.b * between - drawn / d.r;
  v[data] = d.population * spread;
  v[total] = v[data] + v[objective];
  if (d.r == 1) v[data] = v[objective] = v[level] = std::numeric_limits<double>::quiet_NaN();
  v[signal] = s.mean_squared - (s.trace / (s.m - 1) - d.fraction * spread / d.b) / s.m;
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
    if (units.blocks > 1) s.blocks += units.between_blocks[i] / static_cast<double>(units.blocks);
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
          .patterns =
              units.patterns > 1 ? (all.patterns * all.m - units.within_level[k]) / (all.m - 1) : 0,
          .blocks = units.blocks > 1
                        ? all.blocks - units.between_blocks[k] / static_cast<double>(units.blocks)
                        : 0};
}

void require_consistent(const NestedUnits& units) {
  const size_t m = static_cast<size_t>(units.means.count);
  if (units.within.size() != m || units.means.mean_dot.size() != m ||
      units.means.centred.size() != m * m ||
      units.within_level.size() != (units.patterns > 1 ? m : 0) ||
      units.between_blocks.size() != (units.blocks > 1 ? m : 0)) {
    throw Error("stats.size", "sums of squares and Gram matrix disagree on the number of units");
  }
  const int64_t examples = units.examples_per_unit * units.means.count;
  if (units.population && *units.population < examples) {
    throw Error("stats.population",
                fmt::format("{} distinct examples cannot come from a population of {}", examples,
                            *units.population),
                "state the number of examples that the sample was drawn from");
  }
  if (units.population && units.draws == 1) {
    throw Error("stats.population",
                "one draw does not tell how much of the variance a finite population loses",
                "measure at least 2 draws, or leave population out");
  }
}

double shrink_of(const Sums& s, const Values& v, const Design& d) {
  const double between = between_units(s, d);
  if (d.fraction == 0 || !(between > 0)) return 1;
  return std::clamp(1 - d.fraction * v[data] / (d.population * d.b * between), 0.0, 1.0);
}

SignalSample sample_of(const NestedUnits& units, const Sums& s, const Values& v, const Design& d) {
  const size_t m = static_cast<size_t>(units.means.count);
  SignalSample sample{.units = &units.means,
                      .signal = v[signal],
                      .trace = s.trace / (s.m - 1),
                      .trace_square = trace_squares(s).of_square,
                      .unit_trace = {},
                      .total = {},
                      .trace_in_total = d.population * d.b * (s.m - 1) / (s.m * d.blocks - 1),
                      .shrink = shrink_of(s, v, d)};
  for (size_t j = 0; j < m; ++j) {
    const double norm = units.means.centred[j * m + j];
    const double merged = d.blocks > 1 ? units.between_blocks[j] / d.blocks : 0;
    const double between = s.m * (norm + merged) / (s.m * d.blocks - 1);
    const double drawn = of_draws(units.within[j], d);
    const double of_pattern =
        d.q > 1 ? d.b * units.within_level[j] / (d.r * (d.q - 1)) * (1 - 1 / d.q) : 0;
    sample.unit_trace.push_back(norm * s.m / (s.m - 1));
    sample.total.push_back(d.population * (d.b * between - drawn / d.r) + drawn + of_pattern);
  }
  return sample;
}

WithoutOne without_one(const NestedUnits& units, const Sums& all, const Design& design) {
  WithoutOne out;
  for (int64_t k = 0; k < units.means.count; ++k) {
    const Values less = values_of(sums_without(units, all, static_cast<size_t>(k)), design);
    for (size_t q = 0; q < quantities; ++q) out[q].push_back(less[q]);
  }
  return out;
}

}  // namespace assay::nested
