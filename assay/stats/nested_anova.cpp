// Nested analysis of variance from a centred Gram matrix, with delete-one-unit intervals in O(m²).
#include "assay/stats/nested_anova.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "assay/core/error.h"

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
};

enum Quantity { signal, data, objective, total, share, snr, dimension, quantities };
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

// E W_u = (r − 1) tr Σ_E / b, and E Σ|d_u|² = (m − 1) (tr Σ_A + tr Σ_E / r) / b.
Values values_of(const Sums& s, double b, double r) {
  Values v{};
  const double between = s.trace / (s.m - 1);
  v[signal] = s.mean_squared - between / s.m;
  v[objective] = b * s.within / (r - 1);
  v[data] = b * between - v[objective] / r;
  v[total] = v[data] + v[objective];
  v[share] = v[objective] / v[total];
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
          .within = (all.within * all.m - units.within[k]) / (all.m - 1)};
}

void require_consistent(const NestedUnits& units) {
  const size_t m = static_cast<size_t>(units.means.count);
  if (units.within.size() != m || units.means.mean_dot.size() != m ||
      units.means.centred.size() != m * m) {
    throw Error("stats.size", "sums of squares and Gram matrix disagree on the number of units");
  }
}

Estimate with_variance(double value, double variance, double m) {
  return student_interval(value, std::sqrt(variance), m - 1, static_cast<int64_t>(m));
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
  const double b = static_cast<double>(units.examples_per_unit);
  const double r = static_cast<double>(units.draws);
  const Sums all = sums_of(units);
  const Values v = values_of(all, b, r);
  std::array<std::vector<double>, quantities> without;
  for (size_t k = 0; k < m; ++k) {
    const Values one_less = values_of(sums_without(units, all, k), b, r);
    for (size_t q = 0; q < quantities; ++q) without[q].push_back(one_less[q]);
  }
  // |ḡ|² − tr/m is a U-statistic: its degenerate part has the variance 2 tr Σ_u²/(m (m − 1)), which
  // the jackknife counts twice. One of the two is taken off, but never both.
  const double degenerate = 2 * trace_squares(all).of_square / (all.m * (all.m - 1));
  const auto corrected = [&](Quantity q, double once) {
    const double variance = jackknife_variance(without[q]);
    return with_variance(v[q], std::max(variance - once, once), all.m);
  };
  const auto plain = [&](Quantity q) { return jackknife_interval(v[q], without[q]); };
  return {.signal = corrected(signal, degenerate),
          .trace_data = plain(data),
          .trace_objective = plain(objective),
          .trace_total = plain(total),
          .objective_share = plain(share),
          .snr_per_example = corrected(snr, degenerate / (v[total] * v[total])),
          .effective_dimension = plain(dimension)};
}

NoiseEstimate exact_noise(const NestedUnits& units) {
  require_consistent(units);
  if (units.examples_per_unit != 1 || units.means.count < 1 || units.draws < 1) {
    throw Error("stats.exhaustive", "a population is enumerated one example to a unit",
                "set examples_per_unit = 1");
  }
  const Sums s = sums_of(units);
  const double within = s.within / static_cast<double>(units.draws), between = s.trace / s.m;
  const auto exact = [&](double value) {
    return Estimate{value, value, value, 0, units.means.count};
  };
  const double square = s.squares / (s.m * s.m);
  return {.signal = exact(s.mean_squared),
          .trace_data = exact(between),
          .trace_objective = exact(within),
          .trace_total = exact(between + within),
          .objective_share = exact(within / (between + within)),
          .snr_per_example = exact(s.mean_squared / (between + within)),
          .effective_dimension = exact(between * between / square)};
}

}  // namespace assay
