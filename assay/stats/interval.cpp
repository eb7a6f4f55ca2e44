// Quantiles and the intervals built on them.
#include "assay/stats/interval.h"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "assay/core/error.h"
#include "assay/stats/moments.h"

namespace assay {
namespace {

template <size_t N>
double polynomial(const std::array<double, N>& coefficients, double x) {
  double value = 0;
  for (size_t i = N; i-- > 0;) value = value * x + coefficients[i];
  return value;
}

// Continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8) by Lentz's
// method.
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300;
  const auto away_from_zero = [](double v) { return std::abs(v) < tiny ? tiny : v; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), value = d;
  for (int i = 1; i < 20000; ++i) {
    const double m = i;
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    value *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    value *= d * c;
    if (std::abs(d * c - 1) < 1e-16) break;
  }
  return value;
}

// Regularised incomplete beta function I_x(a, b); y = 1 − x is given apart to keep its digits.
double incomplete_beta(double a, double b, double x, double y) {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  const double log_front =
      std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log(y);
  const double front = std::exp(log_front);
  return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                   : 1 - front * beta_fraction(b, a, y) / b;
}

// P(T > x) for x >= 0.
double student_tail(double x, double degrees) {
  const double square = x * x;
  return 0.5 * incomplete_beta(degrees / 2, 0.5, degrees / (degrees + square),
                               square / (degrees + square));
}

double student_density(double x, double degrees) {
  const double log_constant = std::lgamma((degrees + 1) / 2) - std::lgamma(degrees / 2) -
                              0.5 * std::log(degrees * std::numbers::pi);
  return std::exp(log_constant - (degrees + 1) / 2 * std::log1p(x * x / degrees));
}

void require_probability(double probability) {
  if (!(probability > 0 && probability < 1)) {
    throw Error("stats.probability", "a quantile needs a probability inside (0, 1)");
  }
}

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double normal_quantile(double probability) {
  require_probability(probability);
  constexpr std::array<double, 8> a = {3.3871328727963666080e0, 1.3314166789178437745e2,
                                       1.9715909503065514427e3, 1.3731693765509461125e4,
                                       4.5921953931549871457e4, 6.7265770927008700853e4,
                                       3.3430575583588128105e4, 2.5090809287301226727e3};
  constexpr std::array<double, 8> b = {1,
                                       4.2313330701600911252e1,
                                       6.8718700749205790830e2,
                                       5.3941960214247511077e3,
                                       2.1213794301586595867e4,
                                       3.9307895800092710610e4,
                                       2.8729085735721942674e4,
                                       5.2264952788528545610e3};
  constexpr std::array<double, 8> c = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                       5.76949722146069140550e0,  3.64784832476320460504e0,
                                       1.27045825245236838258e0,  2.41780725177450611770e-1,
                                       2.27238449892691845833e-2, 7.74545014278341407640e-4};
  constexpr std::array<double, 8> d = {1,
                                       2.05319162663775882187e0,
                                       1.67638483018380384940e0,
                                       6.89767334985100004550e-1,
                                       1.48103976427480074590e-1,
                                       1.51986665636164571966e-2,
                                       5.47593808499534494600e-4,
                                       1.05075007164441684324e-9};
  constexpr std::array<double, 8> e = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                       1.78482653991729133580e0,  2.96560571828504891230e-1,
                                       2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                       2.71155556874348757815e-5, 2.01033439929228813265e-7};
  constexpr std::array<double, 8> f = {1,
                                       5.99832206555887937690e-1,
                                       1.36929880922735805310e-1,
                                       1.48753612908506148525e-2,
                                       7.86869131145613259100e-4,
                                       1.84631831751005468180e-5,
                                       1.42151175831644588870e-7,
                                       2.04426310338993978564e-15};
  const double q = probability - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(a, r) / polynomial(b, r);
  }
  const double r = std::sqrt(-std::log(q < 0 ? probability : 1 - probability));
  const double x = r <= 5 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6)
                          : polynomial(e, r - 5) / polynomial(f, r - 5);
  return q < 0 ? -x : x;
}

double student_cdf(double x, double degrees) {
  return x > 0 ? 1 - student_tail(x, degrees) : student_tail(-x, degrees);
}

// Newton's method on the tail, kept inside a bracket that halves when a step leaves it.
double fisher_tail(double x, double degrees, double denominator_degrees) {
  const double above = degrees * x, sum = above + denominator_degrees;
  return incomplete_beta(denominator_degrees / 2, degrees / 2, denominator_degrees / sum,
                         above / sum);
}

double student_quantile(double probability, double degrees) {
  require_probability(probability);
  const double tail = std::min(probability, 1 - probability);
  if (tail == 0.5) return 0;
  double low = 0, high = 2;
  while (student_tail(high, degrees) > tail) high *= 2;
  double x = std::min(high, -normal_quantile(tail));
  for (int i = 0; i < 200; ++i) {
    const double excess = student_tail(x, degrees) - tail;
    (excess > 0 ? low : high) = x;
    const double step = excess / student_density(x, degrees);
    if (std::abs(step) <= 1e-15 * x) break;
    x += step;
    if (!(x > low && x < high)) x = 0.5 * (low + high);
  }
  return probability < 0.5 ? -x : x;
}

Estimate student_interval(double value, double standard_error, double degrees, int64_t n,
                          double coverage) {
  const double half = student_quantile(0.5 + coverage / 2, degrees) * standard_error;
  return {value, value - half, value + half, standard_error, n};
}

Estimate mean_interval(std::span<const double> values, double coverage) {
  Moments moments;
  moments.add(values);
  const int64_t n = moments.count();
  if (n < 2) return {moments.mean(), kNotANumber, kNotANumber, kNotANumber, n};
  return student_interval(moments.mean(), moments.standard_error(), static_cast<double>(n - 1), n,
                          coverage);
}

Estimate paired_difference(std::span<const double> first, std::span<const double> second,
                           double coverage) {
  if (first.size() != second.size()) {
    throw Error("stats.size", "a paired difference needs as many first as second values");
  }
  std::vector<double> differences;
  for (size_t i = 0; i < first.size(); ++i) differences.push_back(first[i] - second[i]);
  return mean_interval(differences, coverage);
}

double jackknife_variance(std::span<const double> without_one) {
  Moments moments;
  moments.add(without_one);
  return moments.population_variance() * static_cast<double>(moments.count() - 1);
}

Estimate jackknife_interval(double value, std::span<const double> without_one, double coverage) {
  const int64_t n = static_cast<int64_t>(without_one.size());
  return student_interval(value, std::sqrt(jackknife_variance(without_one)),
                          static_cast<double>(n - 1), n, coverage);
}

}  // namespace assay
