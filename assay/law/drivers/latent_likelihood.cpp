#include "assay/law/drivers/latent_likelihood.h"

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>

namespace assay::latent {

Likelihood::Likelihood(std::span<const DriverPoint> points)
    : variables_(static_cast<Index>(points.front().drivers.size()) + 1) {
  const Index d = variables_;
  const auto n = static_cast<double>(points.size());
  for (const DriverPoint& point : points) {
    SmallVector value(d), error(d);
    for (Index k = 0; k + 1 < d; ++k) {
      value[k] = point.drivers[static_cast<std::size_t>(k)];
      error[k] = std::pow(point.driver_errors[static_cast<std::size_t>(k)], 2);
    }
    value[d - 1] = point.outcome;
    error[d - 1] = point.outcome_error * point.outcome_error;
    values_.push_back(value);
    errors_.push_back(error);
  }
  centre_ = unit_ = mean_error_ = SmallVector::Zero(d);
  for (const SmallVector& value : values_) centre_ += value / n;
  for (SmallVector& value : values_) {
    value -= centre_;
    unit_ += value.cwiseAbs2() / n;
  }
  unit_ = unit_.cwiseSqrt().eval();
  observed_ = Small::Zero(d, d);
  for (std::size_t i = 0; i < values_.size(); ++i) {
    values_[i] = values_[i].cwiseQuotient(unit_).eval();
    errors_[i] = errors_[i].cwiseQuotient(unit_.cwiseAbs2()).eval();
    mean_error_ += errors_[i] / n;
    observed_ += values_[i] * values_[i].transpose() / n;
  }
}

Small Likelihood::paths(const Theta& theta) const {
  Small from = Small::Identity(variables_, variables_);
  for (Index k = 1; k < variables_; ++k)
    for (Index j = 0; j < k; ++j) from(k, j) = -theta[coefficient(k, j)];
  return from.inverse();
}

Small Likelihood::covariance(const Theta& theta) const {
  const Small a = paths(theta);
  return a * theta.tail(variables_).asDiagonal() * a.transpose();
}

double Likelihood::deviance(const Theta& theta, Scored* scored, SmallVector* mean) const {
  const Index d = variables_, count = parameters();
  const Small a = paths(theta), omega = a * theta.tail(d).asDiagonal() * a.transpose();
  std::vector<Small> weight(values_.size());
  Small sum = Small::Zero(d, d);
  SmallVector moment = SmallVector::Zero(d);
  double value = 0;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    Small v = omega;
    v.diagonal() += errors_[i];
    const Eigen::LLT<Small> root(v);
    weight[i] = root.solve(Small::Identity(d, d));
    value += 2 * root.matrixLLT().diagonal().array().log().sum();
    sum += weight[i];
    moment += weight[i] * values_[i];
  }
  const SmallVector centre = sum.llt().solve(moment);
  if (mean) *mean = centre;
  Small change[kMostFree];
  if (scored) {
    scored->gradient = Theta::Zero(count);
    scored->information = Information::Zero(count, count);
    for (Index k = 1; k < d; ++k)
      for (Index j = 0; j < k; ++j) {
        const Small half = a.col(k) * omega.row(j);
        change[coefficient(k, j)] = half + half.transpose();
      }
    for (Index k = 0; k < d; ++k) change[variance(k)] = a.col(k) * a.col(k).transpose();
  }
  Small product[kMostFree];
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const SmallVector pull = weight[i] * (values_[i] - centre);
    value += pull.dot(values_[i] - centre);
    if (!scored) continue;
    const Small slope = weight[i] - pull * pull.transpose();
    for (Index k = 0; k < count; ++k) {
      scored->gradient[k] += slope.cwiseProduct(change[k]).sum();
      product[k] = weight[i] * change[k];
      for (Index l = 0; l <= k; ++l)
        scored->information(k, l) += product[k].cwiseProduct(product[l].transpose()).sum();
    }
  }
  if (scored) {
    scored->deviance = value;
    scored->information = Information(scored->information.selfadjointView<Eigen::Lower>());
  }
  return value;
}

double Likelihood::greatest_share() const {
  double low = 0, high = 1;
  const auto definite = [&](double share) {
    Small rest = observed_;
    rest.diagonal() -= share * mean_error_;
    return Eigen::LLT<Small>(rest).info() == Eigen::Success;
  };
  if (definite(1)) return 1;
  for (int step = 0; step < 40; ++step) {
    const double middle = 0.5 * (low + high);
    (definite(middle) ? low : high) = middle;
  }
  return low;
}

// Regression of each variable on those before it.
Theta Likelihood::start(double share) const {
  const Index d = variables_;
  Small omega = observed_;
  omega.diagonal() -= share * mean_error_;
  Theta theta = Theta::Zero(parameters());
  for (Index k = 0; k < d; ++k) {
    double own = omega(k, k);
    if (k > 0) {
      const SmallVector b =
          Small(omega.topLeftCorner(k, k)).ldlt().solve(SmallVector(omega.col(k).head(k)));
      for (Index j = 0; j < k; ++j) theta[coefficient(k, j)] = b[j];
      own -= b.dot(omega.col(k).head(k));
    }
    theta[variance(k)] = std::max(own, kLeast);
  }
  return theta;
}

namespace {

constexpr int kIterations = 3000;

/// Fisher scoring with damping, variances kept at kLeast or above; the coefficient `held` stays as
/// it is (-1: none).
class Scoring {
 public:
  Scoring(const Likelihood& likelihood, Index held) : likelihood_(likelihood), held_(held) {}

  Maximum run(const Theta& start) {
    at_.theta = start;
    at_.deviance = likelihood_.deviance(start, &scored_);
    double damping = 1e-6;
    for (int i = 0; i < kIterations && !at_.converged; ++i) {
      const Theta next = step(damping);
      Scored scored;
      const double deviance = likelihood_.deviance(next, &scored);
      const double gain = at_.deviance - deviance;
      const double size = (next - at_.theta).norm() / (1 + at_.theta.norm());
      if (gain >= 0) {
        at_.theta = next;
        at_.deviance = deviance;
        scored_ = scored;
        damping = std::max(damping / 10, 1e-12);
      } else {
        damping = std::max(damping, 1e-6) * 10;
      }
      at_.converged = size < 1e-10 || (gain >= 0 && gain < 1e-13 && size < 1e-6);
    }
    return at_;
  }

 private:
  bool is_variance(Index k) const { return k >= likelihood_.variance(0); }
  bool fixed(Index k) const {
    return k == held_ || (is_variance(k) && at_.theta[k] <= kLeast && scored_.gradient[k] > 0);
  }
  Theta step(double damping) const {
    Information information = scored_.information;
    Theta gradient = scored_.gradient;
    for (Index k = 0; k < gradient.size(); ++k) {
      information(k, k) += damping * information(k, k) + 1e-12;
      if (!fixed(k)) continue;
      information.row(k).setZero();
      information.col(k).setZero();
      information(k, k) = 1;
      gradient[k] = 0;
    }
    Theta next = at_.theta - information.ldlt().solve(gradient);
    for (Index k = likelihood_.variance(0); k < next.size(); ++k)
      next[k] = std::max(next[k], kLeast);
    return next;
  }

  const Likelihood& likelihood_;
  Index held_;
  Maximum at_;
  Scored scored_;
};

}  // namespace

Maximum maximise(const Likelihood& likelihood, const Theta& start, Index held) {
  return Scoring(likelihood, held).run(start);
}

Maximum maximise(const Likelihood& likelihood) {
  Maximum best;
  const double greatest = likelihood.greatest_share();
  for (const double part : {0.0, 0.5, 0.98}) {
    const Maximum found = maximise(likelihood, likelihood.start(part * greatest), -1);
    if (found.deviance < best.deviance) best = found;
    if (!likelihood.has_errors()) break;  // all starts are one
  }
  return best;
}

}  // namespace assay::latent
