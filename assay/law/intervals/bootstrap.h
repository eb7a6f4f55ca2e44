// Intervals by resampling runs.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/core/seed.h"
#include "assay/law/fit/fit.h"
#include "assay/law/intervals/allocation.h"

namespace assay {

struct BootstrapOptions {
  int resamples = 4000;
  /// The start grid is redone in every resample; else in `restarted_share` of them, and elsewhere
  /// the fit to all rows is the start.
  bool full = false;
  double restarted_share = 0.05;
  std::size_t starts = 4;  // polished where the grid is redone
  Seed seed{1};
};

struct LawLimits {
  double low = 0, high = 0;
};

/// Case bootstrap clustered by run: as many runs as there are, drawn with replacement, each with
/// all its rows. δ stays that of the fit. (A residual bootstrap covers too little at 25 rows and
/// below.)
struct LawBootstrap {
  std::size_t parameters = 0;
  std::vector<double> draws;  // [kept][parameters] in table units
  int kept = 0;
  int failed = 0;       // too few different design points, or no convergence from any start
  int restarted = 0;    // resamples with a grid of their own
  int disagreeing = 0;  // of those also started warm, where the grid found a lower minimum
  /// Why there are no draws though they were asked for; empty = there are. Fewer than p + 3
  /// measured runs, or more than half of the resamples failed: what is left would be a selection of
  /// good ones, whose intervals are too narrow (simulated with 7 rows and 5 parameters: 95% cover
  /// 54%).
  std::string failure;
  Seed seed;

  std::span<const double> draw(int k) const;
  /// Percentile interval of a parameter; NaN with fewer than 20 draws.
  LawLimits interval(std::size_t parameter, double coverage = 0.95) const;
  double standard_error(std::size_t parameter) const;
  /// Percentile interval of a function of the parameters; draws where it is not finite are left
  /// out.
  LawLimits interval_of(const std::function<double(std::span<const double>)>& function,
                        double coverage = 0.95) const;
};

/// Throws Error law.unusable if the fit failed.
LawBootstrap bootstrap(const LawProblem& problem, const LawFit& fit,
                       const BootstrapOptions& options = {});

/// Quantile of sorted values by linear interpolation between order statistics (Hyndman and Fan's
/// type 7).
double sorted_quantile(std::span<const double> sorted, double probability);
/// The central interval of sorted values; NaN of fewer than 20.
LawLimits sorted_percentiles(std::span<const double> sorted, double coverage = 0.95);

/// What a law says of one point: of its own value, and of a new run there.
struct LawPrediction {
  double value = 0;
  LawLimits law;  // of L̂: uncertainty of the parameters
  LawLimits run;  // of a loss measured there: with noise, drawn from run_noise
};
/// Residuals of the measured rows times √(n/(n − p)), p = parameters of the form, n = those rows:
/// how far, in log loss, a new run lies off the law.
std::vector<double> run_noise(const LawProblem& problem, const LawFit& fit);
/// Losses that may be measured at a point, one for each draw of the law with noise drawn for it,
/// sorted. Empty without noise.
std::vector<double> drawn_losses(const Form& form, const LawBootstrap& bootstrap,
                                 std::span<const double> noise, const Observation& point);
/// parameters: [p] of the fit, in table units; noise: of run_noise. Limits are NaN with fewer than
/// 20 draws, and those of a run without noise.
LawPrediction predict_interval(const Form& form, std::span<const double> parameters,
                               const LawBootstrap& bootstrap, std::span<const double> noise,
                               const Observation& point, double coverage = 0.95);
LawPrediction predict_interval(const LawProblem& problem, const LawFit& fit,
                               const LawBootstrap& bootstrap, const Observation& point,
                               double coverage = 0.95);

/// Compute-optimal allocation with intervals.
struct AllocationIntervals {
  Allocation value;
  LawLimits model_exponent, data_exponent, model_size, data_size, loss_exponent;
};
std::optional<AllocationIntervals> allocation_intervals(const Form& form,
                                                        std::span<const double> parameters,
                                                        const LawBootstrap& bootstrap,
                                                        double compute, double coverage = 0.95,
                                                        double flops_per = 6);
std::optional<AllocationIntervals> allocation_intervals(const LawProblem& problem,
                                                        const LawFit& fit,
                                                        const LawBootstrap& bootstrap,
                                                        double compute, double coverage = 0.95,
                                                        double flops_per = 6);

}  // namespace assay
