// Functions of the objective's share of variance, and their intervals by monotony.
#include "assay/stats/headroom.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "assay/core/error.h"

namespace assay {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

// The image of an estimate under an increasing function with the given slope at its value.
Estimate image(const Estimate& x, const std::function<double(double)>& increasing, double slope) {
  return {increasing(x.value), increasing(x.low), increasing(x.high), slope * x.standard_error,
          x.n};
}

void require_cost(const DrawCost& cost) {
  if (!(cost.once >= 0 && cost.each > 0)) {
    throw Error("stats.cost", "a draw costs more than nothing, an example at least nothing");
  }
}

}  // namespace

Estimate headroom(const Estimate& share, double draws) {
  if (!(draws >= 1)) throw Error("stats.draws", "headroom is that of at least one draw");
  const double saved = 1 - 1 / draws;
  const auto gain = [saved](double s) {
    const double left = 1 - s * saved;  // (A + E/r)/(A + E)
    return left > 0 ? 1 / left : std::isnan(left) ? left : kInfinite;
  };
  const double value = gain(share.value);
  return image(share, gain, saved * value * value);
}

Estimate best_draws(const Estimate& share, const DrawCost& cost) {
  require_cost(cost);
  const double ratio = cost.once / cost.each;
  const auto best = [ratio](double s) {
    if (s >= 1) return ratio > 0 ? kInfinite : 0.0;
    return std::sqrt(ratio * std::max(s, 0.0) / (1 - s));
  };
  const double value = best(share.value);
  return image(share, best, 0.5 * value / (share.value * (1 - share.value)));
}

double gain_of_draws(double share, const DrawCost& cost, double draws) {
  require_cost(cost);
  const double left = 1 - share * (1 - 1 / draws);
  return (cost.once + cost.each) / (left * (cost.once + draws * cost.each));
}

int64_t best_whole_draws(double share, const DrawCost& cost) {
  require_cost(cost);
  if (!(share > 0 && share < 1)) return 1;
  const double best = std::sqrt(cost.once / cost.each * share / (1 - share));
  const double below = std::max(1.0, std::floor(best));
  const bool more = gain_of_draws(share, cost, below + 1) > gain_of_draws(share, cost, below);
  return static_cast<int64_t>(more ? below + 1 : below);
}

}  // namespace assay
