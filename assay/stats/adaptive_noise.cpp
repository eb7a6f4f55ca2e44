// Measures until an estimate is as precise as asked, or until nothing more may be spent.
#include "assay/stats/adaptive_noise.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace assay {
namespace {

constexpr double kLeast = 1.2, kMost = 4, kUnresolved = 4;

struct Look {
  double half_width = 0;  // relative
  double degenerate = 0;  // the part of its square that falls as 1/n², not as 1/n
};

// Var |G|² = 2 tr S²/n² + 4 G'S G/n for the mean of n examples with covariance S each. The first
// term, relative to |G|⁴, is 2 (tr S/(n |G|²))²/d_eff; tr S = tr Σ_data + tr Σ_objective/r.
double degenerate_part(const NoiseEstimate& e, double half_width, const NoiseView& view) {
  constexpr double kNormal = 1.96;
  const double draws = static_cast<double>(view.draws);
  const double trace =
      view.draws == 1 ? e.trace_total.value : e.trace_data.value + e.trace_objective.value / draws;
  const double examples = static_cast<double>(view.example_gradients) / draws;
  const double relative = kNormal * trace / (examples * e.signal.value);
  const double part = 2 * relative * relative / e.effective_dimension.value;
  return std::isfinite(part) && part > 0 ? std::min(1.0, part / (half_width * half_width)) : 0;
}

Look look_at(const NoiseView& view, const PrecisionTarget& target) {
  view.at(target.group);  // throws where there is no such group
  const bool snr = target.of == NoiseQuantity::snr;
  Look worst;
  for (const NoiseRow& row : view.rows) {
    // The whole of a view by parts is what the plain view measures better.
    if (row.group != target.group || row.metric != "euclidean" ||
        (view.parts > 0 && row.part.empty()))
      continue;
    const NoiseEstimate& e = row.estimate;
    const double width = relative_half_width(snr ? e.snr_per_example : e.objective_share);
    if (width > worst.half_width) worst = {width, snr ? degenerate_part(e, width, view) : 0};
  }
  return worst;
}

// k with (w/w_asked)² (δ/k² + (1 − δ)/k) = 1: how many times the examples.
int64_t next_look(int64_t blocks, const Look& look, const PrecisionTarget& target) {
  double factor = kUnresolved;
  if (std::isfinite(look.half_width)) {
    const double ratio = std::pow(look.half_width / target.half_width, 2);
    const double linear = ratio * (1 - look.degenerate);
    const double k = (linear + std::sqrt(linear * linear + 4 * ratio * look.degenerate)) / 2;
    factor = std::clamp(k, kLeast, kMost);
  }
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
  Look look;
  for (int64_t until = 1;; until = next_look(out.blocks, look, target)) {
    for (; out.blocks < until; ++out.blocks) accumulator.add(examples(out.blocks));
    out.view = accumulator.view();
    ++out.looks;
    look = look_at(out.view, target);
    out.half_width = look.half_width;
    out.reached = out.half_width <= target.half_width;
    if (out.reached || out.blocks >= target.most_blocks) return out;
  }
}

}  // namespace assay
