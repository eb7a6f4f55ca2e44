// Measures until an estimate is as precise as asked, or until nothing more may be spent.
#include "assay/stats/adaptive_noise.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace assay {
namespace {

constexpr double kSpare = 1.1, kLeast = 1.25, kMost = 8, kUnresolved = 4;

double worst_half_width(const NoiseView& view, const PrecisionTarget& target) {
  view.at(target.group);  // throws where there is no such group
  double worst = 0;
  for (const NoiseRow& row : view.rows) {
    // The whole of a view by parts is what the plain view measures better.
    if (row.group != target.group || row.metric != "euclidean" ||
        (view.parts > 0 && row.part.empty()))
      continue;
    const NoiseEstimate& e = row.estimate;
    worst =
        std::max(worst, relative_half_width(target.of == NoiseQuantity::snr ? e.snr_per_example
                                                                            : e.objective_share));
  }
  return worst;
}

int64_t next_look(int64_t blocks, double half_width, const PrecisionTarget& target) {
  const double ratio = half_width / target.half_width;
  const double factor =
      std::isfinite(ratio) ? std::clamp(kSpare * ratio * ratio, kLeast, kMost) : kUnresolved;
  return std::min(target.most_blocks,
                  static_cast<int64_t>(std::ceil(factor * static_cast<double>(blocks))));
}

}  // namespace

double relative_half_width(const Estimate& estimate) {
  const double half = (estimate.high - estimate.low) / 2;
  if (half == 0) return 0;
  const bool resolved = estimate.low > 0 || estimate.high < 0;
  return resolved && std::isfinite(half) ? half / std::abs(estimate.value)
                                         : std::numeric_limits<double>::infinity();
}

AdaptiveNoise measure_adaptively(NoiseAccumulator& accumulator,
                                 const std::function<std::vector<int64_t>(int64_t)>& examples,
                                 const PrecisionTarget& target) {
  AdaptiveNoise out;
  for (int64_t until = 1;; until = next_look(out.blocks, out.half_width, target)) {
    for (; out.blocks < until; ++out.blocks) accumulator.add(examples(out.blocks));
    out.view = accumulator.view();
    ++out.looks;
    out.half_width = worst_half_width(out.view, target);
    out.reached = out.half_width <= target.half_width;
    if (out.reached || out.blocks >= target.most_blocks) return out;
  }
}

}  // namespace assay
