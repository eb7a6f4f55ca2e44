// Local minimisation within bounds, and the test of having arrived.
#pragma once

#include "assay/law/fit/law_objective.h"

namespace assay {

struct PolishOptions {
  int most_iterations = 300;
  /// Of the gradient ratio (below).
  double tolerance = 1e-8;
  /// Stop, without the test, once an iteration lowers the sum by less than this part of it: for
  /// rounds whose result is only a start.
  double rough = 0;
  /// Bit j: parameter j is held at its start value.
  unsigned held = 0;
  /// First matrix in place of that of iteratively reweighted least squares; a curvature known from
  /// elsewhere. Outlives the call.
  const LawMatrix* matrix = nullptr;
};

struct Polished {
  LawVector parameters;  // in the units of the rows
  double objective = 0;  // the sum
  /// √(gᵀ S⁻¹ g) over the free parameters, g = the gradient of the sum and S = Σ ψ² J Jᵀ its own
  /// sampling covariance: at 1e-8 the parameters are within about 1e-8 of a standard error
  /// of the minimum, whatever the units of loss and columns, and however many rows. (A tolerance on
  /// the mean of Huber's loss stops far from it.) Noise is taken to be at least 1e-6 of the loss.
  double gradient_ratio = 0;
  /// gradient_ratio <= tolerance; or 1e-6, where no step lowers it further.
  bool converged = false;
};

/// Second derivatives of the sum at `at`, by central differences of the gradient: exact enough
/// between the kinks of ρ.
LawMatrix curvature(LawObjective& objective, const LawVector& at);

/// Quasi-Newton steps projected on the bounds of the form's parameters (BFGS with Powell's damping;
/// first matrix: iteratively reweighted least squares; Armijo's rule). At a bound, a parameter
/// whose gradient points outwards is held.
Polished polish(LawObjective& objective, const LawVector& start, const PolishOptions& options = {});

}  // namespace assay
