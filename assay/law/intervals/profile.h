// Profile-likelihood intervals: a cross-check of the bootstrap that needs no resamples.
#pragma once

#include <string>

#include "assay/law/intervals/bootstrap.h"

namespace assay {

struct ProfileInterval {
  LawLimits limits;       // table units
  bool low_open = false;  // the bound of the parameter's range was reached: no limit on this side
  bool high_open = false;
  bool lower_minimum = false;  // a better fit was met on the way: the fit is not the global one
};

/// λ = (Σψ²/(n − p))/(Σψ'/n) of Schrader and Hettmansperger (1980): twice a rise of the objective
/// over λ is a likelihood ratio; for least squares, the residual variance. n > p.
double likelihood_scale(const LawFit& fit);

/// All v for which holding the parameter at v raises the objective by at most λ/2 times the
/// quantile of F(1, n − p): the likelihood-ratio test for M-estimators, with λ of
/// likelihood_scale. Rows are taken as independent: with several rows of one run it is too narrow.
/// parameter: "E", or anything that is no coefficient. Throws Error law.parameter otherwise, and
/// law.unusable if the fit failed.
ProfileInterval profile_interval(const LawProblem& problem, const LawFit& fit,
                                 const std::string& parameter, double coverage = 0.95);

/// Whether that interval of E leaves out a floor of zero: one refit. False for forms without E.
bool floor_is_above_zero(const LawProblem& problem, const LawFit& fit, double coverage = 0.95);

}  // namespace assay
