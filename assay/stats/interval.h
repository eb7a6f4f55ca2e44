// Intervals: quantiles of the normal and Student distributions, means, paired differences,
// jackknife.
#pragma once

#include <cstdint>
#include <span>

namespace assay {

/// A value with its two-sided interval. low <= value <= high, or all NaN where it could not be had.
struct Estimate {
  double value = 0, low = 0, high = 0;
  double standard_error = 0;
  int64_t n = 0;  // independent units behind it
};

double normal_cdf(double x);
/// Wichura (1988), algorithm AS 241: relative error about 1e-15. probability in (0, 1).
double normal_quantile(double probability);
/// Student's t, degrees > 0 (not necessarily whole).
double student_cdf(double x, double degrees);
double student_quantile(double probability, double degrees);
/// P(F > x) of Fisher's F, x >= 0; degrees of its numerator and denominator > 0.
double fisher_tail(double x, double degrees, double denominator_degrees);

/// value ± t · standard_error with the given degrees of freedom.
Estimate student_interval(double value, double standard_error, double degrees, int64_t n,
                          double coverage = 0.95);

/// t-interval of a mean; NaN interval below two values.
Estimate mean_interval(std::span<const double> values, double coverage = 0.95);
/// Of mean(first − second), pair by pair. Throws Error stats.size if lengths differ.
Estimate paired_difference(std::span<const double> first, std::span<const double> second,
                           double coverage = 0.95);

/// (n − 1)/n Σ (θ₋ₖ − mean θ₋)², from the n values with one unit left out.
double jackknife_variance(std::span<const double> without_one);
/// value ± t_{n−1} √jackknife_variance: for smooth statistics without a degenerate part.
Estimate jackknife_interval(double value, std::span<const double> without_one,
                            double coverage = 0.95);

}  // namespace assay
