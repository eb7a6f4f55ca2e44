// The distribution of a squared length of a noisy vector: weighted χ² plus signal plus normal
// error.
#pragma once

#include <vector>

namespace assay {

/// Q = Σ_k w_k (z_k² − 1) + (signal's cross term) + √normal_variance · z, with standard normal z,
/// and mean `signal`. The cross term is that of a mean vector of squared length `signal` on which
/// the noise has the variance `signal_weight`: cumulant function t · signal / (1 − 2 t
/// signal_weight).
struct QuadraticForm {
  std::vector<double> weights;  // of either sign
  double signal = 0;            // >= 0
  double signal_weight = 0;     // >= 0
  double normal_variance = 0;   // >= 0

  /// P(Q >= x) by the saddlepoint formula of Lugannani and Rice (1980): against noncentral χ²
  /// within .004 at one weight and .0003 from three on. A form without any variance gives 0, ½
  /// or 1.
  double upper_tail(double x) const;
};

}  // namespace assay
