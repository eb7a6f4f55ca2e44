// Critical values for statistical tests at a stated level.
#pragma once

#include <cmath>

namespace assay::test {

/// Standard normal quantile of the upper tail probability p < .5 (Newton on erfc).
inline double normal_quantile(double p) {
  double z = 4;
  for (int i = 0; i < 50; ++i) {
    const double tail = 0.5 * std::erfc(z / std::sqrt(2.0));
    z += (tail - p) / (std::exp(-0.5 * z * z) / std::sqrt(2 * M_PI));
  }
  return z;
}

/// Wilson and Hilferty (1931): the cube root of χ²/k is nearly normal. Within .1 of exact for k
/// ≥ 3.
inline double chi_square_score(double chi_square, double degrees) {
  const double variance = 2 / (9 * degrees);
  return (std::cbrt(chi_square / degrees) - (1 - variance)) / std::sqrt(variance);
}

}  // namespace assay::test
