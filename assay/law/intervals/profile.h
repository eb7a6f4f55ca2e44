// Profile-likelihood intervals: a cross-check of the bootstrap that needs no resamples.
#pragma once

#include <string>
#include <vector>

#include "assay/law/intervals/bootstrap.h"

namespace assay {

struct ProfileInterval {
  LawLimits limits;       // table units
  bool low_open = false;  // the bound of the parameter's range was reached: no limit on this side
  bool high_open = false;
  bool lower_minimum = false;  // a better fit was met on the way: the fit is not the global one
};

/// λ = (Σψ²/(n − p))/(Σψ'/n) of Schrader and Hettmansperger (1980): twice a rise of the objective
/// over λ is a likelihood ratio; for least squares, the residual variance. Over the n > p measured
/// rows.
double likelihood_scale(const LawProblem& problem, const LawFit& fit);

/// What rows tell of each parameter, linearised at the fit. NaN at a bound.
struct LinearErrors {
  /// [p] √(λ (Σ J Jᵀ)⁻¹)_jj in the units of the rows, which for parameters with has_profile, but E,
  /// are those of the table: of independent rows whose noise is everywhere the same.
  std::vector<double> standard_error;
  /// [p] How much more the rows that tell a parameter scatter than all do: the deviation that White
  /// (1980) gives it, (I⁻¹ Σ r² J Jᵀ I⁻¹)_jj, over that of equal noise. A profile takes noise as
  /// equal, and is too narrow by about this factor.
  std::vector<double> scatter;
};
LinearErrors linear_errors(const LawProblem& problem, const LawFit& fit);

/// "E", and what is no coefficient and keeps its meaning under a change of the columns' units.
bool has_profile(const Form& form, std::size_t parameter);

/// All v for which holding the parameter at v raises the objective by at most λ/2 times the
/// quantile of F(1, n − p): the likelihood-ratio test for M-estimators, with λ of
/// likelihood_scale. Rows are taken as independent: with several rows of one run it is too narrow.
/// Throws Error law.parameter for a parameter without has_profile, and law.unusable if the fit
/// failed.
ProfileInterval profile_interval(const LawProblem& problem, const LawFit& fit,
                                 const std::string& parameter, double coverage = 0.95);

/// Whether that interval of E leaves out a floor of zero: a few refits. False for forms without E.
bool floor_is_above_zero(const LawProblem& problem, const LawFit& fit, double coverage = 0.95);

}  // namespace assay
