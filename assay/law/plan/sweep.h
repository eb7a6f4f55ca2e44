// The runs of a sweep, where they may lie, and what they cost.
#pragma once

#include <functional>
#include <vector>

namespace assay {

/// One model size trained on one amount of data, every example seen once.
struct SweepPoint {
  double model_size = 0;  // N, parameters
  double data_size = 0;   // D, examples or tokens
  int runs = 1;           // seeds
};
using Sweep = std::vector<SweepPoint>;

int runs_of(const Sweep& sweep);

/// What sizes and data can be chosen from. One value where low = high: a law of the other column.
struct SweepRegion {
  double least_size = 3e4, greatest_size = 1e7;
  double least_data = 1e4, greatest_data = 3.2e6;

  double size_decades() const;
  double data_decades() const;
  /// Geometric mean of its corners.
  SweepPoint centre() const;
};
/// Throws Error plan.range where a bound is not a positive number, low exceeds high, or neither
/// column varies.
void check_region(const SweepRegion& region);

/// Sizes that exist: trunks have whole widths, budgets whole batches. Default: every size exists.
struct SizeRounding {
  std::function<double(double)> model_size, data_size;
  SweepPoint operator()(SweepPoint point) const;
};

/// One run costs k N D FLOPs (Hoffmann et al. 2022: k = 6 with D in tokens) and an overhead.
struct RunCost {
  double flops_per = 6;  // k, FLOPs per parameter and example: 6 × the tokens of an example
  double rate = 50e9;    // FLOP/s of one worker
  int workers = 1;       // at a time
  double overhead = 0;   // seconds a run beside training: its start, measuring

  double flops(const SweepPoint& point) const;    // of one run
  double seconds(const SweepPoint& point) const;  // of one run on one worker
};
double flops_of(const Sweep& sweep, const RunCost& cost);
/// Seconds that one worker would take.
double worker_seconds(const Sweep& sweep, const RunCost& cost);
/// On all workers: never less than the longest run.
double hours_of(const Sweep& sweep, const RunCost& cost);

/// Points of equal size and data become one with the runs of both; sorted by size, then data.
Sweep merged(Sweep sweep);
/// The same shape over more decades of each column in which it varies: upward where `more` is
/// positive, downward where it is negative.
Sweep stretched(const Sweep& sweep, double more);

}  // namespace assay
