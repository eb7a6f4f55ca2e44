// Means over two crossed random factors (branches × images), and a mean in units of its spread.
#pragma once

#include <cstdint>
#include <span>

#include "assay/stats/interval.h"

namespace assay {

/// Every row was measured on the same columns: y_ri = μ + R_r + C_i + E_ri.
struct CrossedMean {
  Estimate mean;        // over both factors: the interval holds for new rows and new columns
  double rows = 0;      // variance of R, unbiased, may be negative
  double columns = 0;   // of C
  double residual = 0;  // of E, interaction included
  Estimate over_rows;   // mean and interval for new rows on these very columns
};

/// values [rows × columns], row-major, all finite. With rows and columns random,
/// Var ȳ = (MS_rows + MS_columns − MS_residual)/(RC) (Cornfield and Tukey 1956), where a negative
/// sum gives way to the larger single mean square; degrees of freedom by Satterthwaite (1946) from
/// the mean squares. Throws Error stats.size unless there are at least 2 rows and 2 columns.
CrossedMean crossed_mean(std::span<const double> values, int64_t rows, int64_t columns,
                         double coverage = 0.95);

/// μ/σ of a normal population from n values: mean over standard deviation, with the exact interval
/// that inverts the noncentral t distribution. Not corrected for the small-sample bias of the
/// ratio (a factor 1.25 at n = 4), which the interval contains. Infinite for values without
/// spread; throws Error stats.size below n = 2.
Estimate standardised_mean(std::span<const double> values, double coverage = 0.95);

/// P(T <= x) of Student's t with `degrees` and noncentrality `shift`, to about 1e-10: integral of
/// the normal distribution over the distribution of the standard deviation.
double noncentral_t_cdf(double x, double degrees, double shift);

}  // namespace assay
