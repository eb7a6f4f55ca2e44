// Intervals for |G|² and SNR that hold at small effective dimension and at zero signal.
#pragma once

#include <vector>

#include "assay/stats/gram.h"
#include "assay/stats/interval.h"

namespace assay {

/// What the tests of |G|² and SNR need of m units. Traces are linear in the units.
struct SignalSample {
  const CentredGram* units = nullptr;
  double signal = 0;               // unbiased estimate of |G|²
  double trace = 0;                // τ = tr Σ_u of one unit
  double trace_square = 0;         // unbiased tr Σ_u²; may be negative
  std::vector<double> unit_trace;  // [m] contributions to τ, whose mean it is
  std::vector<double> total;       // [m] contributions to the denominator of SNR, …
  double trace_in_total = 1;       // … in which τ has this factor
  /// Covariance of ḡ over Σ_u / m: below 1 where units are drawn from a finite population.
  double shrink = 1;
};

struct Limits {
  double low = 0, high = 0;
};
struct SignalLimits {
  Limits signal, snr;
};

/// Two-sided 95% limits by inverting tests (all s for which neither tail is below 2.5%).
///
/// Under |G|² = s the statistic is Σ λ_k (z_k + δ_k)²/m less its trace, a weighted noncentral χ²:
/// skewed where few λ_k dominate, and without a linear part at s = 0. The λ_k are the eigenvalues
/// of the centred Gram matrix without its diagonal (which alone makes their squares and cubes
/// nearly unbiased), scaled to the unbiased tr Σ_u². The variance λ_G of a unit along G is
/// Var(ḡ₋ⱼ·d_j)/|ḡ₋ⱼ|², and for s above the estimate, where noise must have cancelled signal, it is
/// moved towards the directions in which that is likeliest (the profile of the normal likelihood).
/// Both tests compare with a multiple of the estimated trace and carry its error, as an F test
/// does.
///
/// An s below zero stands for a shift of the distribution at s = 0, so that an interval below zero
/// says by how much the estimate fell short, and nothing is clamped.
SignalLimits signal_limits(const SignalSample& sample);

/// P(|G|² estimated at least this large | G = 0) by the same test; 0 or 1 where units do not
/// differ.
double zero_signal_p_value(const SignalSample& sample);

}  // namespace assay
