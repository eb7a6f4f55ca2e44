#include "assay/law/plan/exchange.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "assay/core/error.h"
#include "assay/law/plan/exchange_state.h"

namespace assay {
namespace {

using Eigen::Index;
using State = ExchangeState;

constexpr double kLeastGain = 1e-7;  // of the logarithm of the criterion

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

std::vector<int> counts_of(const Sweep& candidates, const Sweep& start, int most_seeds) {
  std::vector<int> counts(candidates.size(), 0);
  for (const SweepPoint& point : start)
    for (std::size_t i = 0; i < candidates.size(); ++i)
      if (std::abs(std::log(candidates[i].model_size / point.model_size)) < 1e-9 &&
          std::abs(std::log(candidates[i].data_size / point.data_size)) < 1e-9)
        counts[i] = std::min(point.runs, most_seeds);
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
  state.replace(counts_of(candidates, start, within.most_seeds));
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
