#include "assay/law/plan/exchange_state.h"

#include <cmath>
#include <numeric>

namespace assay {

using Eigen::Index;

double ExchangeState::gain_of(Index add, const LawMatrix& inverse) const {
  const LawVector v = inverse * j_.col(add);
  const double factor = 1 + j_.col(add).dot(v);
  if (contrasts_.cols() == 0) return std::log(factor) / static_cast<double>(j_.rows());
  const double variance = trace(inverse);
  return -std::log1p(-(contrasts_.transpose() * v).squaredNorm() / factor / variance);
}

std::pair<Index, double> ExchangeState::best_exchange(Index from) const {
  const LawVector v = inverse_ * j_.col(from);
  const double left = 1 - j_.col(from).dot(v);
  if (!(left > 1e-9)) return {-1, 0};
  const LawMatrix inverse = inverse_ + v * v.transpose() / left;
  const double lost = contrasts_.cols() == 0 ? std::log(left) / static_cast<double>(j_.rows())
                                             : std::log(trace(inverse_) / trace(inverse));
  std::pair<Index, double> best{-1, 0};
  const bool last =
      points() <= limits_.least_points && counts_[static_cast<std::size_t>(from)] == 1;
  for (Index to = 0; to < candidates(); ++to) {
    if (to == from || !fits(to, from)) continue;
    if (last && counts_[static_cast<std::size_t>(to)] > 0) continue;
    const double gain = lost + gain_of(to, inverse);
    if (gain > best.second) best = {to, gain};
  }
  return best;
}

double ExchangeState::efficiency() const {
  std::vector<double> gradient;
  for (Index i = 0; i < candidates(); ++i) gradient.push_back(slope_of(i));
  double low = 0, high = *std::ranges::max_element(gradient);
  // A price of a run makes the limit on runs part of the bound; any price gives a bound.
  const auto bound = [&](double price) {
    return knapsack(gradient, price) + price * limits_.most_runs;
  };
  for (int step = 0; step < 60; ++step) {  // convex in the price
    const double third = (high - low) / 3;
    if (bound(low + third) < bound(high - third))
      high -= third;
    else
      low += third;
  }
  return 1 / std::min(bound(low), bound(0));
}

double ExchangeState::slope_of(Index at) const {
  const LawVector v = inverse_ * j_.col(at);
  if (contrasts_.cols() == 0) return j_.col(at).dot(v) / static_cast<double>(j_.rows());
  return (contrasts_.transpose() * v).squaredNorm() / trace(inverse_);
}

double ExchangeState::knapsack(const std::vector<double>& gradient, double price) const {
  std::vector<std::size_t> order(gradient.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return (gradient[a] - price) * seconds_[b] > (gradient[b] - price) * seconds_[a];
  });
  double value = 0, left = limits_.seconds;
  for (const std::size_t i : order) {
    if (gradient[i] <= price) continue;
    const double runs = std::min<double>(limits_.most_seeds, left / seconds_[i]);
    value += runs * (gradient[i] - price);
    left -= runs * seconds_[i];
  }
  return value;
}

void ExchangeState::refresh() {
  LawMatrix information = ridge_ * LawMatrix::Identity(j_.rows(), j_.rows());
  runs_ = 0;
  spent_ = 0;
  for (Index i = 0; i < candidates(); ++i) {
    const int n = counts_[static_cast<std::size_t>(i)];
    if (n == 0) continue;
    information += n * j_.col(i) * j_.col(i).transpose();
    runs_ += n;
    spent_ += n * seconds_[static_cast<std::size_t>(i)];
  }
  const Eigen::LDLT<LawMatrix> factors(information);
  inverse_ = factors.solve(LawMatrix::Identity(j_.rows(), j_.rows()));
  score_ = contrasts_.cols() == 0
               ? factors.vectorD().array().log().sum() / static_cast<double>(j_.rows())
               : -std::log(trace(inverse_));
}

}  // namespace assay
