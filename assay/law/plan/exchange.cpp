#include "assay/law/plan/exchange.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "assay/core/error.h"

namespace assay {
namespace {

using Eigen::Index;
constexpr double kLeastGain = 1e-7;  // of the logarithm of the criterion

// Runs on candidates with the inverse of their information. The criterion is the logarithm of a
// concave function that doubles where all runs do: −log Σ variances, or log det / p.
class State {
 public:
  State(const Eigen::MatrixXd& sensitivity, const Eigen::MatrixXd& contrasts,
        const std::vector<double>& seconds, const ExchangeLimits& limits)
      : j_(sensitivity),
        contrasts_(contrasts),
        seconds_(seconds),
        limits_(limits),
        counts_(seconds.size(), 0) {
    // A prior far weaker than any run, so that the first runs have a gain.
    ridge_ = 1e-10 * j_.squaredNorm() / static_cast<double>(j_.size());
    refresh();
  }

  Index candidates() const { return j_.cols(); }
  const std::vector<int>& counts() const { return counts_; }
  int runs() const { return runs_; }
  double score() const { return score_; }
  double spent() const { return spent_; }
  int points() const {
    return static_cast<int>(std::ranges::count_if(counts_, [](int n) { return n > 0; }));
  }

  bool fits(Index add, Index remove = -1) const {
    const auto k = static_cast<std::size_t>(add);
    const double back = remove < 0 ? 0 : seconds_[static_cast<std::size_t>(remove)];
    return counts_[k] < limits_.most_seeds && runs_ + (remove < 0) <= limits_.most_runs &&
           spent_ + seconds_[k] - back <= limits_.seconds * (1 + 1e-9);
  }
  void change(Index at, int by) {
    counts_[static_cast<std::size_t>(at)] += by;
    refresh();
  }
  void replace(std::vector<int> counts) {
    counts_ = std::move(counts);
    refresh();
  }
  // Gain of the criterion by one run more, given an inverse information and its trace.
  double gain_of(Index add, const LawMatrix& inverse) const {
    const LawVector v = inverse * j_.col(add);
    const double factor = 1 + j_.col(add).dot(v);
    if (contrasts_.cols() == 0) return std::log(factor) / static_cast<double>(j_.rows());
    const double variance = trace(inverse);
    return -std::log1p(-(contrasts_.transpose() * v).squaredNorm() / factor / variance);
  }
  double gain_of(Index add) const { return gain_of(add, inverse_); }

  // Best run to put in the place of one at `from`, with the gain of the exchange.
  std::pair<Index, double> best_exchange(Index from) const {
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

  // Σ over the best possible runs of the criterion's gradient: 1/that bounds the efficiency.
  double efficiency() const {
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

 private:
  double trace(const LawMatrix& inverse) const {
    return (contrasts_.transpose() * inverse * contrasts_).trace();
  }
  double slope_of(Index at) const {
    const LawVector v = inverse_ * j_.col(at);
    if (contrasts_.cols() == 0) return j_.col(at).dot(v) / static_cast<double>(j_.rows());
    return (contrasts_.transpose() * v).squaredNorm() / trace(inverse_);
  }
  double knapsack(const std::vector<double>& gradient, double price) const {
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
  void refresh() {
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

  const Eigen::MatrixXd& j_;
  const Eigen::MatrixXd& contrasts_;
  const std::vector<double>& seconds_;
  const ExchangeLimits& limits_;
  std::vector<int> counts_;
  LawMatrix inverse_;
  double ridge_ = 0, score_ = 0, spent_ = 0;
  int runs_ = 0;
};

// Different points first, the cheapest that gain: an optimum for one exponent may have as few as
// the law has parameters, and would not show that the form is wrong.
void spread(State& state, const std::vector<double>& seconds, const ExchangeLimits& limits) {
  while (state.points() < limits.least_points || state.runs() < limits.least_runs) {
    const bool other = state.points() < limits.least_points;
    Index cheapest = -1;
    for (Index i = 0; i < state.candidates(); ++i) {
      const auto k = static_cast<std::size_t>(i);
      if ((other && state.counts()[k] > 0) || !state.fits(i)) continue;
      if (cheapest < 0 || seconds[k] < seconds[static_cast<std::size_t>(cheapest)]) cheapest = i;
    }
    if (cheapest < 0) return;
    state.change(cheapest, 1);
  }
}

// Adds runs until none fits or gains; by gain a second, or by gain alone.
void fill(State& state, const std::vector<double>& seconds, bool per_second) {
  while (true) {
    Index best = -1;
    double most = 0;
    for (Index i = 0; i < state.candidates(); ++i) {
      if (!state.fits(i)) continue;
      const double gain = state.gain_of(i);
      const double value = per_second ? gain / seconds[static_cast<std::size_t>(i)] : gain;
      if (gain > kLeastGain && value > most) {
        most = value;
        best = i;
      }
    }
    if (best < 0) return;
    state.change(best, 1);
  }
}

void exchange(State& state) {
  constexpr int kMostExchanges = 1000;
  for (int step = 0; step < kMostExchanges; ++step) {
    Index from = -1;
    std::pair<Index, double> best{-1, kLeastGain};
    for (Index i = 0; i < state.candidates(); ++i) {
      if (state.counts()[static_cast<std::size_t>(i)] == 0) continue;
      const auto found = state.best_exchange(i);
      if (found.first >= 0 && found.second > best.second) {
        best = found;
        from = i;
      }
    }
    if (from < 0) return;
    const double before = state.score();
    const std::vector<int> counts = state.counts();
    state.change(from, -1);
    state.change(best.first, 1);
    if (!(state.score() > before)) return state.replace(counts);  // rounding alone
  }
}

void improve(State& state, const std::vector<double>& seconds, bool per_second) {
  for (double before = -1e300; state.score() > before + kLeastGain;) {
    before = state.score();
    fill(state, seconds, per_second);
    exchange(state);
  }
}

// One expensive run may be worth several cheap ones, which no exchange of one for one finds.
void give_up_and_refill(State& state, const std::vector<double>& seconds) {
  constexpr int kMostGivenUp = 12;
  std::vector<Index> order;
  for (Index i = 0; i < state.candidates(); ++i)
    if (state.counts()[static_cast<std::size_t>(i)] > 0) order.push_back(i);
  std::ranges::sort(order, [&](Index a, Index b) {
    return seconds[static_cast<std::size_t>(a)] > seconds[static_cast<std::size_t>(b)];
  });
  if (order.size() > kMostGivenUp) order.resize(kMostGivenUp);
  for (const Index i : order) {
    if (state.counts()[static_cast<std::size_t>(i)] == 0) continue;
    const std::vector<int> counts = state.counts();
    const double before = state.score();
    state.change(i, -1);
    improve(state, seconds, true);
    if (state.score() < before + kLeastGain) state.replace(counts);
  }
}

std::vector<int> counts_of(const Sweep& candidates, const Sweep& start) {
  std::vector<int> counts(candidates.size(), 0);
  for (const SweepPoint& point : start)
    for (std::size_t i = 0; i < candidates.size(); ++i)
      if (std::abs(std::log(candidates[i].model_size / point.model_size)) < 1e-9 &&
          std::abs(std::log(candidates[i].data_size / point.data_size)) < 1e-9)
        counts[i] = point.runs;
  return counts;
}

}  // namespace

ExchangedSweep exchange_sweep(const DesignModel& model, const Sweep& candidates,
                              const Eigen::MatrixXd& contrasts, const RunCost& cost,
                              const ExchangeLimits& limits, const Sweep& start) {
  ExchangeLimits within = limits;
  const auto count = static_cast<int>(candidates.size());
  if (count < model.size())
    throw Error(
        "plan.budget",
        fmt::format("{} candidates for {} parameters are within the hours", count, model.size()),
        "more hours for the longest run, or smaller models and data");
  within.least_points = std::min(within.least_points, count);
  within.least_runs = std::min(within.least_runs, count * within.most_seeds);
  const Eigen::MatrixXd sensitivity = model.sensitivities(candidates);
  std::vector<double> seconds;
  for (const SweepPoint& point : candidates) seconds.push_back(cost.seconds(point));
  State state(sensitivity, contrasts, seconds, within);
  std::vector<int> best;
  double most = -std::numeric_limits<double>::infinity();
  const auto seek = [&](bool per_second) {
    spread(state, seconds, within);
    improve(state, seconds, per_second);
    if (state.points() < within.least_points || state.runs() < within.least_runs) return;
    if (!(state.score() > most)) return;
    most = state.score();
    best = state.counts();
  };
  const std::vector<int> nothing(candidates.size(), 0);
  for (const bool per_second : {true, false}) {
    state.replace(nothing);
    seek(per_second);
  }
  state.replace(counts_of(candidates, start));
  if (state.spent() <= within.seconds && state.runs() <= within.most_runs) seek(true);
  if (best.empty())
    throw Error("plan.budget",
                fmt::format("no sweep of {} runs at {} points fits into {:.3g} hours of one worker "
                            "and {} runs",
                            within.least_runs, within.least_points, within.seconds / 3600,
                            within.most_runs),
                "more hours, smaller models or data, or a greater --most-runs");
  state.replace(best);
  if (limits.thorough) give_up_and_refill(state, seconds);
  ExchangedSweep out;
  out.efficiency = state.efficiency();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (state.counts()[i] == 0) continue;
    out.sweep.push_back(candidates[i]);
    out.sweep.back().runs = state.counts()[i];
  }
  out.sweep = merged(std::move(out.sweep));
  return out;
}

}  // namespace assay
