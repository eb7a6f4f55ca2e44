// Crossed means and standardised means against closed forms, other computations and simulation.
#include "assay/stats/crossed_mean.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "assay/core/error.h"
#include "assay/stats/moments.h"

namespace assay {
namespace {

struct World {
  double mean, row_sd, column_sd, noise_sd;
};

std::vector<double> draw(const World& world, int64_t rows, int64_t columns,
                         std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  std::vector<double> row, column, values;
  for (int64_t i = 0; i < rows; ++i) row.push_back(world.row_sd * normal(random));
  for (int64_t j = 0; j < columns; ++j) column.push_back(world.column_sd * normal(random));
  for (const double r : row)
    for (const double c : column)
      values.push_back(world.mean + r + c + world.noise_sd * normal(random));
  return values;
}

/// Share of `repeats` simulated intervals that hold the true mean. covers(estimate) decides.
template <typename Interval>
double coverage(const World& world, int64_t rows, int64_t columns, int repeats, double truth,
                const Interval& interval) {
  std::mt19937_64 random(17);
  int held = 0;
  for (int k = 0; k < repeats; ++k) {
    const Estimate e = interval(draw(world, rows, columns, random));
    held += e.low <= truth && truth <= e.high;
  }
  return static_cast<double>(held) / repeats;
}

// Two by two by hand: y = [[1, 2], [3, 8]]; mean 3.5; row means 1.5, 5.5; column means 2, 5;
// residuals ±1.
TEST(CrossedMean, TwoByTwoByHand) {
  const CrossedMean m = crossed_mean(std::vector<double>{1, 2, 3, 8}, 2, 2);
  EXPECT_DOUBLE_EQ(m.mean.value, 3.5);
  EXPECT_DOUBLE_EQ(m.residual, 4);        // 4 · 1² / 1
  EXPECT_DOUBLE_EQ(m.rows, 8 - 4.0 / 2);  // variance of 1.5, 5.5 less residual/2
  EXPECT_DOUBLE_EQ(m.columns, 4.5 - 4.0 / 2);
  EXPECT_DOUBLE_EQ(m.mean.standard_error, std::sqrt(8.0 / 2 + 4.5 / 2 - 4.0 / 4));
  EXPECT_DOUBLE_EQ(m.over_rows.standard_error, 2);
}

// H0: variance components are those of the world. n = 2,000 tables of 4 × 30; standard errors from
// the simulation itself; z < 4.9 is level 1e-6.
TEST(CrossedMean, VarianceComponentsAreUnbiased) {
  const World world{.mean = .3, .row_sd = .5, .column_sd = 2, .noise_sd = 1};
  std::mt19937_64 random(5);
  Moments rows, columns, residual;
  for (int k = 0; k < 2000; ++k) {
    const CrossedMean m = crossed_mean(draw(world, 4, 30, random), 4, 30);
    rows.add(m.rows);
    columns.add(m.columns);
    residual.add(m.residual);
  }
  EXPECT_LT(std::abs(rows.mean() - .25), 4.9 * rows.standard_error());
  EXPECT_LT(std::abs(columns.mean() - 4), 4.9 * columns.standard_error());
  EXPECT_LT(std::abs(residual.mean() - 1), 4.9 * residual.standard_error());
}

// Coverage of the 95% interval: branches rule, images rule, both, neither. n = 4,000 each: a true
// coverage of .95 leaves [.933, .967] with probability below 1e-6; one of .90 stays inside with
// probability below 1e-9 (power). Satterthwaite is conservative where branches are few and weak.
TEST(CrossedMean, IntervalsCover) {
  const auto both = [](const std::vector<double>& y) { return crossed_mean(y, 4, 60).mean; };
  EXPECT_NEAR(coverage({.2, 1, .1, .1}, 4, 60, 4000, .2, both), .95, .017);
  EXPECT_NEAR(coverage({.2, .01, 1, .3}, 4, 60, 4000, .2, both), .95, .017);
  EXPECT_GT(coverage({.2, .3, 2, 1}, 4, 60, 4000, .2, both), .933);
  EXPECT_GT(coverage({.2, 0, 0, 1}, 4, 60, 4000, .2, both), .933);
}

// The planted fault: taking the images of all branches for independent rows (n = R·C values, t) is
// far too narrow when branches differ.
TEST(CrossedMean, PooledIntervalWouldMiss) {
  const auto pooled = [](const std::vector<double>& y) { return mean_interval(y); };
  EXPECT_LT(coverage({.2, .3, 2, 1}, 4, 60, 4000, .2, pooled), .80);
}

TEST(CrossedMean, RefusesASingleBranch) {
  EXPECT_THROW(crossed_mean(std::vector<double>{1, 2}, 1, 2), Error);
  EXPECT_THROW(crossed_mean(std::vector<double>{1, 2, 3}, 2, 2), Error);
}

// Central case against Student's own distribution; the noncentral one against SciPy 1.17
// (scipy.stats.nct.cdf).
TEST(StandardisedMean, NoncentralDistribution) {
  for (const double degrees : {1.0, 3.0, 7.0, 63.0})
    for (const double x : {-3.0, -.4, 0.0, 1.0, 4.0})
      EXPECT_NEAR(noncentral_t_cdf(x, degrees, 0), student_cdf(x, degrees), 1e-8);
  EXPECT_NEAR(noncentral_t_cdf(0, 3, 1.5), normal_cdf(-1.5), 1e-9);
  EXPECT_NEAR(noncentral_t_cdf(2, 3, 1), 0.7436298684076654, 1e-7);
  EXPECT_NEAR(noncentral_t_cdf(5, 7, 4), 0.6845767540678747, 1e-7);
}

// n = 1,000 samples of 4 values: the interval for μ/σ is exact for normal values, so the bounds are
// those of a coin of .95 at level 1e-6.
TEST(StandardisedMean, IntervalsCover) {
  const auto interval = [](const std::vector<double>& y) {
    return standardised_mean(std::span(y).first(4));
  };
  for (const double ratio : {0.0, .7, 3.0})
    EXPECT_NEAR(coverage({ratio, 0, 0, 1}, 2, 2, 1000, ratio, interval), .95, .034);
}

TEST(StandardisedMean, NoSpreadHasNoInterval) {
  const Estimate e = standardised_mean(std::vector<double>{2, 2, 2});
  EXPECT_TRUE(std::isinf(e.value));
  EXPECT_TRUE(std::isnan(e.low));
}

}  // namespace
}  // namespace assay
