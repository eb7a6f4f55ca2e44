// Signal and noise of a gradient from any number of blocks of units, in the memory of one.
#pragma once

#include <memory>

#include "assay/stats/noise_view.h"
#include "assay/stats/part_products.h"

namespace assay {

struct NoiseUnits {
  std::string group, metric, part;  // as in NoiseRow
  NestedUnits units;
};

/// A block is plan.units units. Unit u of every further block is merged into unit u of the first:
/// after k blocks there are still m units, of k·b examples each, so that precision can be bought
/// without memory. Merging is exact: gradients of units average, and of W_u = Σ_j |g_uj − ḡ_u|²,
/// whose mean is (r − 1) tr Σ_E / b, the average over blocks is divided by k. What the merged means
/// forget, the spread of the k means of a unit, is kept as a sum of squares.
///
/// Memory: max(1, parts) × (units + 2) × P floats with one or two draws; a gradient (of all parts)
/// more from the third draw on, and with patterns one or two on top.
class NoiseAccumulator {
 public:
  /// Draw j of unit u of block c comes from draw_seed(seed, c·m + u, j). source and the weights of
  /// `metrics` must outlive it. Throws Error stats.plan.
  NoiseAccumulator(GradientSource& source, const NoisePlan& plan, Seed seed, double progress,
                   const std::vector<DiagonalMetric>& metrics = {});
  ~NoiseAccumulator();

  /// units × examples_per_unit ids that are distinct and were in no block before; ids within the
  /// block are checked: Error stats.examples.
  void add(std::span<const int64_t> examples);

  int64_t blocks() const;
  /// The estimates from all blocks so far. REQUIRES blocks() > 0.
  NoiseView view() const;
  /// By group, Euclidean, in the order of the source's groups. REQUIRES by_part, blocks() > 0.
  std::vector<PartProducts> products() const;
  /// The units behind each row of view(), in its order: two accumulators with one plan, seed and
  /// examples give the pairs of noise_difference(). REQUIRES blocks() > 0.
  std::vector<NoiseUnits> units() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// Draw (with patterns: level) `index` of unit `unit`: every estimate and every exported gradient
/// comes from this, as Draw::from(seed); pattern k >= 1 of a level has pattern.child(k) instead.
Seed draw_seed(Seed seed, int64_t unit, int64_t index);

}  // namespace assay
