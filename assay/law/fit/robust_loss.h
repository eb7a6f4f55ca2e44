// Which loss a fit minimises, and where its scale came from.
#pragma once

#include <limits>
#include <span>
#include <string>

#include "assay/law/fit/noise_level.h"

namespace assay {

/// Of residuals r = log L − log L̂. Huber (1964): quadratic within δ, linear beyond. δ = 1.345 σ has
/// 95% efficiency under normal noise; a fixed 1e-3 is that of Hoffmann et al. (2022), and in effect
/// least absolute deviations where noise is larger.
struct RobustLoss {
  enum class Kind { huber_auto, huber_fixed, least_squares };
  Kind kind = Kind::huber_auto;
  double delta = 1e-3;  // of huber_fixed, in log loss

  static RobustLoss automatic() { return {}; }
  static RobustLoss huber(double delta) { return {Kind::huber_fixed, delta}; }
  static RobustLoss least_squares() {
    return {Kind::least_squares, std::numeric_limits<double>::infinity()};
  }
};

/// What was used.
struct LossScale {
  double delta = 0;     // ∞ for least squares
  double sigma = 0;     // standard deviation of log loss
  std::string source;   // of sigma: "replicates", "residuals"
  int64_t degrees = 0;  // of sigma
  /// That of replicates, where residuals exceed it beyond chance and sigma is theirs; else 0.
  double exceeded = 0;
};

constexpr double kHuberEfficiency = 1.345;
/// δ is not made smaller than this: losses written with six digits or without noise.
constexpr double kLeastDelta = 1e-6;
/// Degrees of freedom from which replicates, and not residuals, give sigma.
constexpr int64_t kLeastReplicateDegrees = 3;

/// Reads "huber:auto", "huber:1e-3", "mse". Throws Error usage.loss.
RobustLoss parse_loss(const std::string& text);

/// δ that `loss` has at this sigma.
double delta_at(const RobustLoss& loss, double sigma);

}  // namespace assay
