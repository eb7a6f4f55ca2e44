// A sweep while its runs are exchanged.
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <utility>
#include <vector>

#include "assay/law/plan/exchange.h"

namespace assay {

/// Runs on candidates with the inverse of their information. The criterion is the logarithm of a
/// concave function that doubles where all runs do: −log Σ variances, or log det / p.
class ExchangeState {
 public:
  ExchangeState(const Eigen::MatrixXd& sensitivity, const Eigen::MatrixXd& contrasts,
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

  Eigen::Index candidates() const { return j_.cols(); }
  const std::vector<int>& counts() const { return counts_; }
  int runs() const { return runs_; }
  double score() const { return score_; }
  double spent() const { return spent_; }
  int points() const {
    return static_cast<int>(std::ranges::count_if(counts_, [](int n) { return n > 0; }));
  }

  bool fits(Eigen::Index add, Eigen::Index remove = -1) const {
    const auto k = static_cast<std::size_t>(add);
    const double back = remove < 0 ? 0 : seconds_[static_cast<std::size_t>(remove)];
    return counts_[k] < limits_.most_seeds && runs_ + (remove < 0) <= limits_.most_runs &&
           spent_ + seconds_[k] - back <= limits_.seconds * (1 + 1e-9);
  }
  void change(Eigen::Index at, int by) {
    counts_[static_cast<std::size_t>(at)] += by;
    refresh();
  }
  void replace(std::vector<int> counts) {
    counts_ = std::move(counts);
    refresh();
  }
  // Gain of the criterion by one run more, given an inverse information and its trace.
  double gain_of(Eigen::Index add, const LawMatrix& inverse) const;
  double gain_of(Eigen::Index add) const { return gain_of(add, inverse_); }

  // Best run to put in the place of one at `from`, with the gain of the exchange.
  std::pair<Eigen::Index, double> best_exchange(Eigen::Index from) const;

  // Σ over the best possible runs of the criterion's gradient: 1/that bounds the efficiency.
  double efficiency() const;

 private:
  double trace(const LawMatrix& inverse) const {
    return (contrasts_.transpose() * inverse * contrasts_).trace();
  }
  double slope_of(Eigen::Index at) const;
  double knapsack(const std::vector<double>& gradient, double price) const;
  void refresh();

  const Eigen::MatrixXd& j_;
  const Eigen::MatrixXd& contrasts_;
  const std::vector<double>& seconds_;
  const ExchangeLimits& limits_;
  std::vector<int> counts_;
  LawMatrix inverse_;
  double ridge_ = 0, score_ = 0, spent_ = 0;
  int runs_ = 0;
};

}  // namespace assay
