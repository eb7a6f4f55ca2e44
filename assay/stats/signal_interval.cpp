// Test inversion for a quadratic statistic whose spectrum comes from its Gram matrix.
#include "assay/stats/signal_interval.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>

#include "assay/stats/quadratic_form.h"

namespace assay {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;
constexpr Eigen::Index kLargest = 128;  // order above which units are pooled for their spectrum
constexpr double kTail = 0.025;

double covariance(const Vector& a, const Vector& b) {
  return (a.array() - a.mean()).matrix().dot((b.array() - b.mean()).matrix()) /
         static_cast<double>(a.size() - 1);
}

Vector vector_of(const std::vector<double>& values) {
  return Eigen::Map<const Vector>(values.data(), static_cast<Eigen::Index>(values.size()));
}

// Everything about the noise that does not depend on the hypothesis.
class Noise {
 public:
  explicit Noise(const SignalSample& sample);

  // Variance of one unit along G if |G|² = signal >= 0.
  double along_signal(double signal) const;
  // Error of U − Σ_j (c τ_j + θ T_j)/m beyond the two parts of U itself.
  double trace_error(double c, double theta) const;

  double m, standard_deviation;  // of |G|²'s estimate
  std::vector<double> weights;   // of the degenerate part of U

 private:
  void find_spectrum(const Matrix& pooled);
  void find_directions(const Matrix& pooled, const Vector& pooled_dot, double units_per_row);

  const SignalSample& sample_;
  double square_, raw_, mean_squared_;
  Vector eigenvalues_, projections_;  // of Σ_u, and |ḡ|² along each
  double trace_variance_, total_variance_, both_, signal_trace_, signal_total_;
};

Noise::Noise(const SignalSample& sample)
    : m(static_cast<double>(sample.units->count)), sample_(sample) {
  const Eigen::Index units = sample.units->count;
  const Eigen::Map<const Matrix> gram(sample.units->centred.data(), units, units);
  const Vector dot = vector_of(sample.units->mean_dot);
  mean_squared_ = sample.units->mean_squared;
  const Eigen::Index rows = std::min(units, kLargest);
  const Eigen::Index width = (units + rows - 1) / rows, used = units / width;
  Matrix pooled(used, used);
  Vector pooled_dot(used);
  for (Eigen::Index i = 0; i < used; ++i) {
    pooled_dot[i] = dot.segment(i * width, width).mean();
    for (Eigen::Index j = 0; j < used; ++j)
      pooled(i, j) = gram.block(i * width, j * width, width, width).mean();
  }
  find_spectrum(pooled);
  find_directions(pooled, pooled_dot, static_cast<double>(width));

  // ḡ₋ⱼ·d_j up to a constant: a unit's own square would bring its fourth moment in.
  const Vector others = dot - gram.diagonal() / (m - 1);
  const double growth = m / (m - 1);
  const double without_one = std::max(sample.signal + sample.trace / (m - 1), 0.0);
  raw_ = without_one > 0
             ? growth * growth * covariance(others, others) * mean_squared_ / without_one
             : 0;
  const Vector trace = vector_of(sample.unit_trace), total = vector_of(sample.total);
  trace_variance_ = covariance(trace, trace);
  total_variance_ = covariance(total, total);
  both_ = covariance(trace, total);
  signal_trace_ = covariance(others, trace);
  signal_total_ = covariance(others, total);
  const double linear = 4 * std::max(sample.signal, 0.0) * along_signal(sample.signal);
  standard_deviation = std::sqrt(sample.shrink * (2 * square_ / (m * (m - 1)) + linear / m));
}

// Without the diagonal, Σ_ij H_ij² is nearly unbiased whatever the kurtosis and dimension; centring
// has put −τ/m into each entry off the diagonal.
void Noise::find_spectrum(const Matrix& pooled) {
  Matrix hollow = (pooled.array() + sample_.trace / m).matrix();
  hollow.diagonal().setZero();
  const double frobenius = hollow.squaredNorm();
  const double rows = static_cast<double>(hollow.rows());
  const double own = frobenius / (rows * (rows - 1)) * std::pow(m / rows, 2);
  square_ = sample_.trace_square > 0 ? sample_.trace_square : own;
  const double scale =
      frobenius > 0 ? sample_.shrink * std::sqrt(square_ / (m * (m - 1) * frobenius)) : 0;
  const Vector eigenvalues =
      Eigen::SelfAdjointEigenSolver<Matrix>(hollow, Eigen::EigenvaluesOnly).eigenvalues() * scale;
  weights.assign(eigenvalues.data(), eigenvalues.data() + eigenvalues.size());
}

// Sample eigenvalues are spread by noise; scaled as a whole so that their squares add up to the
// unbiased tr Σ_u², they are right for a few large ones and harmless for many equal ones.
void Noise::find_directions(const Matrix& pooled, const Vector& pooled_dot, double units_per_row) {
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(pooled);
  const Vector values = solver.eigenvalues().cwiseMax(0.0);
  const Vector dots = solver.eigenvectors().transpose() * pooled_dot;
  const double floor = 1e-9 * values.maxCoeff();
  projections_ = Vector::Zero(values.size());
  for (Eigen::Index k = 0; k < values.size(); ++k)
    if (values[k] > floor) projections_[k] = dots[k] * dots[k] / values[k];
  eigenvalues_ = values * units_per_row / static_cast<double>(values.size() - 1);
  const double squares = eigenvalues_.squaredNorm();
  if (squares > 0) eigenvalues_ *= square_ / squares;
}

// ḡ_k → ḡ_k/(1 − κ λ_k) maximises the normal likelihood at a given length; κ makes the length the
// one that the hypothesis expects of ḡ.
double Noise::along_signal(double signal) const {
  const double expected = signal + sample_.shrink * sample_.trace / m;
  if (!(mean_squared_ > 0)) return eigenvalues_.maxCoeff();
  if (!(expected > mean_squared_) || !(eigenvalues_.maxCoeff() > 0)) return raw_ / mean_squared_;
  const auto gain = [&](double kappa) {
    return ((1 - kappa * eigenvalues_.array()).square().inverse() - 1).eval();
  };
  double low = 0, high = (1 - 1e-9) / eigenvalues_.maxCoeff();
  for (int i = 0; i < 40; ++i) {
    const double kappa = 0.5 * (low + high);
    const double length = mean_squared_ + (projections_.array() * gain(kappa)).sum();
    (length > expected ? high : low) = kappa;
  }
  const double moved = (projections_.array() * gain(low) * eigenvalues_.array()).sum();
  return (raw_ + moved) / expected;
}

double Noise::trace_error(double c, double theta) const {
  const double linear = c * c * trace_variance_ + theta * theta * total_variance_ +
                        2 * c * theta * both_ - 4 * (c * signal_trace_ + theta * signal_total_);
  // The degenerate parts of U and τ have the covariance −2 tr Σ_u²/(m (m − 1)).
  const double of_trace = c + theta * sample_.trace_in_total;
  return sample_.shrink * (linear / m + 4 * of_trace * square_ / (m * (m - 1)));
}

// P(statistic at least as large as observed | |G|² = signal).
double tail(const Noise& noise, const SignalSample& sample, double signal, double c, double theta) {
  QuadraticForm form{.weights = noise.weights};
  form.signal = std::max(signal, 0.0);
  form.signal_weight = sample.shrink * noise.along_signal(form.signal) / noise.m;
  const double error = noise.trace_error(c, theta);
  if (error >= 0) {
    form.normal_variance = error;
  } else if (form.signal > 0) {  // signal and trace vary together: less than the signal's own
    form.signal_weight = std::max(0.0, form.signal_weight + error / (4 * form.signal));
  }
  return form.upper_tail(sample.signal - std::min(signal, 0.0));
}

// Where the increasing function crosses `level`: outwards from `start`, then halving.
double crossing(const std::function<double(double)>& increasing, double level, double start,
                double step, bool upwards) {
  double inside = start, outside = start;
  for (int i = 0; i < 60; ++i, step *= 2) {
    outside = inside + (upwards ? step : -step);
    if ((increasing(outside) > level) == upwards) break;
    inside = outside;
  }
  for (int i = 0; i < 40 && std::abs(outside - inside) > 1e-7 * std::abs(step); ++i) {
    const double middle = 0.5 * (inside + outside);
    ((increasing(middle) > level) == upwards ? outside : inside) = middle;
  }
  return 0.5 * (inside + outside);
}

}  // namespace

SignalLimits signal_limits(const SignalSample& sample) {
  const Noise noise(sample);
  const double value = sample.signal, total = vector_of(sample.total).mean();
  const double deviation = noise.standard_deviation;
  if (!(deviation > 0) || !(sample.trace > 0)) {
    return {{value, value}, {value / total, value / total}};
  }
  // Far from the estimate the error of the trace must not outgrow the hypothesis.
  const double reach = 4 * deviation;
  const auto of_signal = [&](double s) {
    const double excess = std::clamp(value - std::max(s, 0.0), -reach, reach);
    return tail(noise, sample, s, excess / sample.trace, 0);
  };
  const auto of_snr = [&](double theta) {
    const double near = std::clamp(theta * total, std::min(value, 0.0) - reach, value + reach);
    return tail(noise, sample, theta * total, (value - near) / sample.trace, near / total);
  };
  const auto limits = [&](const auto& test, double start, double step) {
    return Limits{crossing(test, kTail, start, step, false),
                  crossing(test, 1 - kTail, start, step, true)};
  };
  const Limits signal = limits(of_signal, value, deviation);
  Limits snr{value / total, value / total};
  if (total > 0) snr = limits(of_snr, value / total, deviation / total);
  return {signal, snr};
}

double zero_signal_p_value(const SignalSample& sample) {
  if (!(sample.trace > 0)) return sample.signal > 0 ? 0 : 1;
  return tail(Noise(sample), sample, 0, sample.signal / sample.trace, 0);
}

}  // namespace assay
