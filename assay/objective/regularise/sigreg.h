// The statistic of SIGReg.
#pragma once

#include "assay/tensor/torch.h"

namespace assay {

/// Quadrature of the Epps–Pulley statistic over [-3, 3]; half: knots on [0, 3] doubled by symmetry.
struct SigregQuadrature {
  int64_t knots = 17;
  bool half = true;
};

/// Per slice ∫ e^(-t²/2)·|ECF(t) - e^(-t²/2)|² dt by the trapezoid rule, ECF = empirical
/// characteristic function of z·a; how far the slice is from a standard normal. z [N, D], slices
/// [D, M] of unit columns; result [M]. Epps and Pulley 1983; rbalestr-lab/lejepa
/// univariate/epps_pulley.py.
Tensor epps_pulley(const Tensor& z, const Tensor& slices, const SigregQuadrature& quadrature);

}  // namespace assay
