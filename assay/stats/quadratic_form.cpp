// Saddlepoint approximation of the tail of a quadratic form in normal variables.
#include "assay/stats/quadratic_form.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "assay/stats/interval.h"

namespace assay {
namespace {

struct Cumulants {
  double value = 0, first = 0, second = 0;  // K(t), K′(t), K″(t)
};

Cumulants cumulants_at(const QuadraticForm& form, double t) {
  Cumulants k;
  for (const double weight : form.weights) {
    const double scale = 1 / (1 - 2 * t * weight);
    k.value += 0.5 * std::log(scale) - t * weight;
    k.first += weight * (scale - 1);
    k.second += 2 * weight * weight * scale * scale;
  }
  const double scale = 1 / (1 - 2 * t * form.signal_weight);
  k.value += t * form.signal * scale + 0.5 * form.normal_variance * t * t;
  k.first += form.signal * scale * scale + form.normal_variance * t;
  k.second += 4 * form.signal_weight * form.signal * scale * scale * scale + form.normal_variance;
  return k;
}

double third_cumulant(const QuadraticForm& form) {
  double sum = 24 * form.signal_weight * form.signal_weight * form.signal;
  for (const double weight : form.weights) sum += 8 * weight * weight * weight;
  return sum;
}

// Where K′(t) = x: Newton's method kept inside the interval on which K exists.
double saddlepoint(const QuadraticForm& form, double x, double deviation) {
  double largest = form.signal > 0 ? form.signal_weight : 0, smallest = 0;
  for (const double weight : form.weights) {
    largest = std::max(largest, weight);
    smallest = std::min(smallest, weight);
  }
  const double far = 1e9 / deviation;  // where there is no pole on that side
  double low = smallest < 0 ? std::max(-far, 1 / (2 * smallest)) : -far;
  double high = largest > 0 ? std::min(far, 1 / (2 * largest)) : far;
  double t = 0;
  for (int i = 0; i < 200; ++i) {
    const Cumulants k = cumulants_at(form, t);
    const double excess = k.first - x;
    (excess > 0 ? high : low) = t;
    double next = t - excess / k.second;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (std::abs(next - t) * deviation < 1e-9) return next;
    t = next;
  }
  return t;
}

}  // namespace

double QuadraticForm::upper_tail(double x) const {
  const double variance = cumulants_at(*this, 0).second;
  if (!(variance > 0)) return x < signal ? 1 : x > signal ? 0 : 0.5;
  const double t = saddlepoint(*this, x, std::sqrt(variance));
  const Cumulants k = cumulants_at(*this, t);
  const double w = std::copysign(std::sqrt(std::max(0.0, 2 * (t * x - k.value))), t);
  const double density = 1 / std::sqrt(2 * std::numbers::pi);
  double tail;
  if (std::abs(w) < 1e-3) {  // the formula's limit at the mean, where its two terms cancel
    tail = 0.5 - density * (third_cumulant(*this) / (6 * std::pow(variance, 1.5)) + w);
  } else {
    const double v = t * std::sqrt(k.second);
    tail = normal_cdf(-w) + density * std::exp(-0.5 * w * w) * (1 / v - 1 / w);
  }
  return std::clamp(tail, 0.0, 1.0);
}

}  // namespace assay
