#include "assay/law/drivers/correlation_power.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "assay/law/numeric/uniform_below.h"
#include "assay/stats/interval.h"

namespace assay {
namespace {

constexpr std::size_t kMostForAll = 8;  // 8! = 40,320 orders
constexpr int64_t kDrawn = 20'000;
constexpr double kTie = 1e-12;  // orders equal but for rounding count as equal

std::vector<double> centred(std::span<const double> values) {
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  std::vector<double> out(values.begin(), values.end());
  for (double& value : out) value -= mean;
  return out;
}

double dot(std::span<const double> x, std::span<const double> y) {
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

/// Orthonormal directions of the centred columns: R² of y is Σ (q·y)²/|y|².
std::vector<std::vector<double>> directions(std::span<const std::vector<double>> columns) {
  std::vector<std::vector<double>> out;
  for (const std::vector<double>& column : columns) {
    std::vector<double> q = centred(column);
    const double before = dot(q, q);
    for (const std::vector<double>& other : out) {
      const double along = dot(q, other);
      for (std::size_t i = 0; i < q.size(); ++i) q[i] -= along * other[i];
    }
    const double size = dot(q, q);
    if (!(size > 1e-20 * before)) continue;  // constant, or a function of the others
    for (double& value : q) value /= std::sqrt(size);
    out.push_back(std::move(q));
  }
  return out;
}

double explained(const std::vector<std::vector<double>>& directions, std::span<const double> y) {
  double sum = 0;
  for (const std::vector<double>& q : directions) sum += std::pow(dot(q, y), 2);
  return sum;
}

}  // namespace

double correlation_power(double correlation, double count) {
  if (!(count > 3)) return 0;
  const double shift =
      std::atanh(std::min(std::fabs(correlation), 1 - 1e-15)) * std::sqrt(count - 3);
  const double critical = normal_quantile(0.975);
  return normal_cdf(shift - critical) + normal_cdf(-shift - critical);
}

int64_t pairs_needed(double correlation) {
  if (!(std::fabs(correlation) >= 0.01)) return 0;
  int64_t count = 4;
  while (correlation_power(correlation, static_cast<double>(count)) < kPowerWanted) ++count;
  return count;
}

double least_correlation(double count) {
  double low = 0, high = 1;
  if (correlation_power(high, count) < kPowerWanted) return 1;
  for (int step = 0; step < 60; ++step) {
    const double middle = 0.5 * (low + high);
    (correlation_power(middle, count) < kPowerWanted ? low : high) = middle;
  }
  return high;
}

double pearson(std::span<const double> x, std::span<const double> y) {
  const auto u = centred(x), v = centred(y);
  const double size = std::sqrt(dot(u, u) * dot(v, v));
  return size > 0 ? dot(u, v) / size : 0;
}

double squared_correlation(std::span<const std::vector<double>> columns,
                           std::span<const double> y) {
  const auto v = centred(y);
  const double size = dot(v, v);
  return size > 0 ? explained(directions(columns), v) / size : 0;
}

PermutationTest permutation_test(std::span<const std::vector<double>> columns,
                                 std::span<const double> y, Seed seed) {
  const auto along = directions(columns);
  const std::vector<double> outcome = centred(y);
  const double observed = explained(along, outcome) * (1 - kTie);
  std::vector<std::size_t> order(outcome.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<double> shuffled = outcome;
  int64_t reached = 0;
  PermutationTest out;
  const auto count = [&] {
    ++out.orders;
    reached += explained(along, shuffled) >= observed;
  };
  out.exact = outcome.size() <= kMostForAll;
  if (out.exact) {
    do {
      for (std::size_t i = 0; i < order.size(); ++i) shuffled[i] = outcome[order[i]];
      count();
    } while (std::ranges::next_permutation(order).found);
  } else {
    std::mt19937_64 engine(seed.child("permutations").value());
    count();
    for (int64_t draw = 0; draw < kDrawn; ++draw) {
      for (std::size_t i = shuffled.size() - 1; i > 0; --i)
        std::swap(
            shuffled[i],
            shuffled[static_cast<std::size_t>(uniform_below(engine, static_cast<int64_t>(i) + 1))]);
      count();
    }
  }
  out.p_value = static_cast<double>(reached) / static_cast<double>(out.orders);
  return out;
}

}  // namespace assay
