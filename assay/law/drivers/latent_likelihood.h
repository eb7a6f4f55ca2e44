// The likelihood behind errors_in_variables.h, and its maximum: a normal (ξ, η) with known errors.
//
// With B strictly lower triangular, its last row the slopes, and D = diag(v) the variances of what
// each variable has of its own, (ξ, η) = B (ξ, η) + own gives the covariance Ω = A D Aᵀ with
// A = (I − B)⁻¹. Every Ω is reached, and scatter or spread of zero is a bound on one v. The mean is
// profiled out.
#pragma once

#include <Eigen/Core>
#include <limits>
#include <span>
#include <vector>

#include "assay/law/drivers/driver_point.h"

namespace assay::latent {

constexpr int kMost = 3;  // two drivers and the outcome
using Small = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, kMost, kMost>;
using SmallVector = Eigen::Matrix<double, Eigen::Dynamic, 1, 0, kMost, 1>;
constexpr int kMostFree = kMost * (kMost + 1) / 2;
using Theta = Eigen::Matrix<double, Eigen::Dynamic, 1, 0, kMostFree, 1>;
using Information = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, kMostFree, kMostFree>;
using Index = Eigen::Index;

/// Least value of a variance, in units of the variable's own: zero.
constexpr double kLeast = 1e-12;

struct Scored {
  double deviance = 0;
  Theta gradient;
  Information information;
};

/// Points in units in which every variable has mean 0 and variance 1.
class Likelihood {
 public:
  explicit Likelihood(std::span<const DriverPoint> points);

  Index variables() const { return variables_; }
  Index parameters() const { return variables_ * (variables_ + 1) / 2; }
  /// Of b_kj, k > j: row by row; variances stand behind them.
  static Index coefficient(Index k, Index j) { return k * (k - 1) / 2 + j; }
  Index variance(Index k) const { return variables_ * (variables_ - 1) / 2 + k; }
  Small paths(const Theta& theta) const;  // A
  Small covariance(const Theta& theta) const;
  /// Derivatives too unless `scored` is null.
  double deviance(const Theta& theta, Scored* scored, SmallVector* mean = nullptr) const;
  bool has_errors() const { return mean_error_.maxCoeff() > 0; }
  /// The largest part, at most 1, of the mean squared errors that the observed covariance can lose
  /// and stay positive definite.
  double greatest_share() const;
  /// The covariance without this part of them: 0 gives least squares, 1 the estimate by moments.
  Theta start(double share) const;
  const SmallVector& centre() const { return centre_; }
  const SmallVector& unit() const { return unit_; }

 private:
  Index variables_;
  std::vector<SmallVector> values_, errors_;  // errors squared
  SmallVector centre_, unit_, mean_error_;
  Small observed_;  // covariance of values_
};

struct Maximum {
  Theta theta;
  double deviance = std::numeric_limits<double>::infinity();
  bool converged = false;
};

/// Damped Fisher scoring, variances kept at kLeast or above. The coefficient `held` keeps its value
/// in `start`; -1 = none is held.
Maximum maximise(const Likelihood& likelihood, const Theta& start, Index held);
/// The best of several starts, from least squares to the errors taken off.
Maximum maximise(const Likelihood& likelihood);

}  // namespace assay::latent
