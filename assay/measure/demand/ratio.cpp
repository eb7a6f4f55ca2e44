// A ratio of two means over the same units.
#include "assay/measure/demand/ratio.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "assay/core/error.h"

namespace assay::demand {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Means, and the covariance of the means.
struct Means {
  double first = 0, second = 0, first_first = 0, first_second = 0, second_second = 0;
};

Means means_of(std::span<const double> first, std::span<const double> second) {
  const auto n = static_cast<double>(first.size());
  Means m;
  for (size_t i = 0; i < first.size(); ++i) {
    m.first += first[i] / n;
    m.second += second[i] / n;
  }
  for (size_t i = 0; i < first.size(); ++i) {
    const double a = first[i] - m.first, b = second[i] - m.second;
    m.first_first += a * a;
    m.first_second += a * b;
    m.second_second += b * b;
  }
  for (double* of : {&m.first_first, &m.first_second, &m.second_second}) *of /= n * (n - 1);
  return m;
}

}  // namespace

MeanRatio ratio_of_means(std::span<const double> first, std::span<const double> second,
                         const std::string& what, double coverage) {
  if (first.size() != second.size() || first.size() < 2)
    throw Error("stats.size", fmt::format("a ratio of means needs pairs, at least two: {} and {}",
                                          first.size(), second.size()));
  const Means m = means_of(first, second);
  const double t = student_quantile((1 + coverage) / 2, static_cast<double>(first.size()) - 1);
  MeanRatio out;
  const double value = m.second == 0 ? kNaN : m.first / m.second;
  const double variance =
      m.first_first - 2 * value * m.first_second + value * value * m.second_second;
  out.estimate = {value, kNaN, kNaN, std::sqrt(std::max(0.0, variance)) / std::fabs(m.second),
                  static_cast<int64_t>(first.size())};
  // r² a − 2 r b + c <= 0
  const double a = m.second * m.second - t * t * m.second_second;
  const double b = m.first * m.second - t * t * m.first_second;
  const double c = m.first * m.first - t * t * m.first_first;
  const double root = std::sqrt(std::max(0.0, b * b - a * c));
  if (m.second == 0 && m.second_second == 0) {
    out.note = fmt::format("undefined: {} is 0", what);
  } else if (a > 0) {
    out.estimate.low = std::min(value, (b - root) / a);
    out.estimate.high = std::max(value, (b + root) / a);
  } else if (c > 0 && m.first > 0) {
    // Kept are r <= r1 and r >= r2 > 0; the former mean that `second` is negative, which it is not.
    // r = c/(b + root) is the positive end, written so that a = 0 is no exception.
    out.note = fmt::format("> {:.3g}: {} is not told from 0", c / (b + root), what);
  } else {
    out.note = fmt::format("undefined: {} is not told from 0", what);
  }
  return out;
}

}  // namespace assay::demand
