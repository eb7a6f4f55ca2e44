// Means over two crossed random factors, and a mean in units of its spread.
#include "assay/stats/crossed_mean.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "assay/core/error.h"
#include "assay/stats/moments.h"

namespace assay {
namespace {

/// Root of a falling function between two points where it changes sign.
template <typename Function>
double bisect(const Function& falling, double low, double high) {
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    if (high - low < 1e-10 * (1 + std::abs(middle))) break;
    (falling(middle) > 0 ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

/// The noncentrality at which P(T <= t) = probability.
double noncentrality(double t, double degrees, double probability) {
  const double reach = 10 + 10 * std::abs(t);
  return bisect([&](double shift) { return noncentral_t_cdf(t, degrees, shift) - probability; },
                -reach, reach);
}

}  // namespace

CrossedMean crossed_mean(std::span<const double> values, int64_t rows, int64_t columns,
                         double coverage) {
  if (rows < 2 || columns < 2 || values.size() != static_cast<size_t>(rows * columns))
    throw Error("stats.size", "a crossed mean needs at least two rows and two columns");
  const auto r = static_cast<double>(rows), c = static_cast<double>(columns);
  std::vector<double> row_means, column_means(static_cast<size_t>(columns));
  for (int64_t i = 0; i < rows; ++i) {
    Moments row;
    row.add(values.subspan(static_cast<size_t>(i * columns), static_cast<size_t>(columns)));
    row_means.push_back(row.mean());
    for (size_t j = 0; j < column_means.size(); ++j)
      column_means[j] += values[static_cast<size_t>(i * columns) + j] / r;
  }
  Moments over_rows, over_columns;
  over_rows.add(row_means);
  over_columns.add(column_means);
  const double mean = over_rows.mean();
  double squares = 0;
  for (int64_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < column_means.size(); ++j) {
      const double rest = values[static_cast<size_t>(i * columns) + j] -
                          row_means[static_cast<size_t>(i)] - column_means[j] + mean;
      squares += rest * rest;
    }
  // Mean squares, each over the number of values so that it is a variance of the grand mean.
  const double by_row = over_rows.variance() / r, by_column = over_columns.variance() / c;
  const double residual = squares / ((r - 1) * (c - 1));
  const double rest = residual / (r * c);
  const double variance = std::max({by_row + by_column - rest, by_row, by_column});
  const double weight = by_row * by_row / (r - 1) + by_column * by_column / (c - 1) +
                        rest * rest / ((r - 1) * (c - 1));
  const double degrees = weight > 0 ? std::max(1.0, variance * variance / weight) : r - 1;
  CrossedMean out;
  out.mean = student_interval(mean, std::sqrt(variance), degrees, rows, coverage);
  out.rows = over_rows.variance() - residual / c;
  out.columns = over_columns.variance() - residual / r;
  out.residual = residual;
  out.over_rows = mean_interval(row_means, coverage);
  return out;
}

double noncentral_t_cdf(double x, double degrees, double shift) {
  // P = ∫ Φ(x s − δ) f(s) ds with s = χ_ν/√ν; the trapezoid rule on u = ln s converges
  // geometrically.
  const double log_constant =
      std::log(2.0) + degrees / 2 * std::log(degrees / 2) - std::lgamma(degrees / 2);
  constexpr int kPoints = 600;
  const double low = std::log(1e-8), high = std::log(1 + 12 / std::sqrt(degrees));
  const double width = (high - low) / kPoints;
  double sum = 0;
  for (int i = 0; i <= kPoints; ++i) {
    const double u = low + width * i, s = std::exp(u);
    const double density = std::exp(log_constant + degrees * u - degrees * s * s / 2);
    sum += density * normal_cdf(x * s - shift);
  }
  return std::clamp(sum * width, 0.0, 1.0);
}

Estimate standardised_mean(std::span<const double> values, double coverage) {
  Moments moments;
  moments.add(values);
  const int64_t n = moments.count();
  if (n < 2) throw Error("stats.size", "a spread needs at least two values");
  const double spread = std::sqrt(moments.variance()), root = std::sqrt(static_cast<double>(n));
  const double ratio = moments.mean() / spread;
  Estimate out{ratio, std::numeric_limits<double>::quiet_NaN(),
               std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN(),
               n};
  if (!std::isfinite(ratio)) return out;
  const double t = ratio * root, degrees = static_cast<double>(n - 1), tail = (1 - coverage) / 2;
  out.low = noncentrality(t, degrees, 1 - tail) / root;
  out.high = noncentrality(t, degrees, tail) / root;
  return out;
}

}  // namespace assay
