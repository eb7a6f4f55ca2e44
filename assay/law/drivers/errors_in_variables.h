// Regression of an outcome on drivers that are both measured with error: maximum likelihood with
// known error variances for each point and an unknown scatter about the line.
#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

#include "assay/law/drivers/driver_point.h"
#include "assay/law/intervals/bootstrap.h"

namespace assay {

/// The law of what is measured, without measuring error: η = intercept + Σ slopes_j ξ_j + ε with
/// ε ~ N(0, scatter²) and (ξ, η) of mean `mean` and covariance `covariance`, drivers first.
struct ErrorsInVariables {
  double intercept = 0;
  std::vector<double> slopes;  // [drivers] outcome per driver
  double scatter = 0;          // of the outcome about the line, beyond its measuring error
  Eigen::VectorXd mean;        // [drivers + 1]
  Eigen::MatrixXd covariance;  // [drivers + 1, drivers + 1]
  /// Of η with what the drivers predict of it: corrected for attenuation. One driver: with the sign
  /// of its slope; several: the multiple correlation.
  double correlation = 0;
  double deviance = 0;  // −2 log likelihood, up to a constant
  bool converged = false;
  bool scatter_at_zero = false;  // measuring errors explain all of the scatter
};

/// Maximises Π N((x_i, y_i); mean, covariance + diag(errors_i²)), the structural model of Fuller
/// (Measurement Error Models, 1987, section 3.2) and Kelly (2007, arXiv:0705.2774) with one normal
/// component, by Fisher scoring on the variances and slopes; consistent for drivers of any
/// distribution. Without driver errors it is least squares, weighted where outcome errors differ;
/// with equal errors the slope is S_xy/(S_xx − error²), or Deming's where the scatter that this
/// leaves is below zero.
///
/// Throws Error law.drivers with fewer than drivers + 1 points, and data.constant for an outcome or
/// a driver that takes one value, or drivers of which one is a linear function of the other.
ErrorsInVariables errors_in_variables(std::span<const DriverPoint> points);

/// Interval of a slope by profile likelihood: where the deviance exceeds its minimum by less than
/// n log(1 + t²/(n − p − 1)) with Student's t of n − p − 1 degrees. Exactly the t-interval where
/// there are no errors. Infinite ends where the data allow any slope. Throws Error law.drivers with
/// fewer than drivers + 2 points, and what errors_in_variables throws.
LawLimits slope_interval(std::span<const DriverPoint> points, std::size_t driver,
                         double coverage = 0.95);

/// Best prediction of the outcome from drivers measured with the given errors: the measured ones
/// are drawn toward their mean by their reliability.
double predict_outcome(const ErrorsInVariables& law, std::span<const double> drivers,
                       std::span<const double> driver_errors);

}  // namespace assay
