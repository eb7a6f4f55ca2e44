#include "assay/law/numeric/kernels.h"

#include <gtest/gtest.h>

#include <cmath>

#include "assay/law/numeric/nonnegative.h"
#include "law/laws.h"

namespace assay {
namespace {

using namespace testing;

TEST(LawKernels, ExponentialsAndLogarithmsHaveTheLibrarysPrecision) {
  Normals normal(1);
  std::vector<double> x(4096), out(4096);
  for (double& value : x) value = 30 * normal();
  exp_affine(0, 1, x.data(), out.data(), x.size());
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(out[i] / std::exp(x[i]), 1, 6e-16) << x[i];
  log_each(out.data(), out.data(), out.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    ASSERT_NEAR(out[i], x[i], 4e-16 * (1 + std::fabs(x[i])));
  for (double& value : x) value = 1 + 1e-5 * normal();
  log_each(x.data(), out.data(), x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    ASSERT_NEAR(out[i], std::log(x[i]), 4e-16 * std::fabs(std::log(x[i])) + 1e-300);
}

TEST(LawKernels, ExponentsBeyondTheRangeAreHeld) {
  const std::vector<double> x = {-1e9, -700, 0, 700, 1e9, 0, 0, 0};
  std::vector<double> out(8);
  exp_affine(0, 1, x.data(), out.data(), 8);
  EXPECT_EQ(out[0], out[1]);
  EXPECT_GT(out[0], 0);
  EXPECT_EQ(out[2], 1);
  EXPECT_EQ(out[3], out[4]);
  EXPECT_TRUE(std::isfinite(out[4]));
}

TEST(LawKernels, RobustSumIsHubersAndOneSidedForUpperBounds) {
  constexpr double kUnbounded = std::numeric_limits<double>::infinity();
  const std::vector<double> log_loss = {0.5, -0.02, 0.01, 0.3, -0.3, 0, 0, 0}, ones(8, 1.0);
  const std::vector<double> weight = {1, 2, 1, 1, 1, 0, 0, 0};
  const std::vector<double> highest = {kUnbounded, kUnbounded, kUnbounded, 0, 0, 0, 0, 0};
  std::vector<double> residual(8), influence(8);
  const ResidualPass pass{ones.data(),
                          log_loss.data(),
                          weight.data(),
                          highest.data(),
                          residual.data(),
                          influence.data(),
                          8};
  // .1 (.5 − .05) + 2 · .02²/2 + .01²/2 + 0 (above its bound is no fault) + .1 (.3 − .05)
  EXPECT_NEAR(robust_sum(pass, 0.1), 0.045 + 4e-4 + 5e-5 + 0.025, 1e-16);
  EXPECT_NEAR(influence[0], 0.1, 1e-16);
  EXPECT_NEAR(influence[1], -0.04, 1e-16);
  EXPECT_EQ(influence[3], 0);
  EXPECT_NEAR(influence[4], -0.1, 1e-16);
  EXPECT_NEAR(robust_sum(pass, kUnbounded), 0.125 + 4e-4 + 5e-5 + 0.045, 1e-16);
}

// By the conditions of Karush, Kuhn and Tucker, sufficient as the problem is convex.
TEST(LawKernels, RatioSumIsHubersOfTheRatiosLogarithm) {
  const std::size_t n = 16;
  std::vector<double> one(n), two(n), weight(n), highest(n, INFINITY);
  for (std::size_t i = 0; i < n; ++i) {
    one[i] = 0.5 + 0.02 * static_cast<double>(i);
    two[i] = 0.4 - 0.01 * static_cast<double>(i);
    weight[i] = i < 13 ? 1 + static_cast<double>(i % 3) : 0;
  }
  highest[3] = 0;
  const double* columns[] = {one.data(), two.data()};
  const double coefficients[] = {0.9, 1.2}, delta = 0.05;
  double expected = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double q = 0.9 * one[i] + 1.2 * two[i];
    const double r = std::min(2 * (1 - q) / (1 + q), highest[i]), size = std::fabs(r);
    EXPECT_NEAR(r, std::min(-std::log(q), highest[i]), 0.01 * std::fabs(std::log(q)));
    expected += weight[i] * (size <= delta ? r * r / 2 : delta * (size - delta / 2));
  }
  EXPECT_NEAR(ratio_sum(columns, coefficients, 2, weight.data(), highest.data(), n, delta),
              expected, 1e-14);
}

TEST(LawKernels, NonNegativeLeastSquaresFindsTheBestActiveSet) {
  Normals normal(3);
  for (int repeat = 0; repeat < 50; ++repeat) {
    double rows[5][3], target[5], gram[9] = {}, right[3] = {};
    for (int i = 0; i < 5; ++i) {
      target[i] = normal();
      for (int a = 0; a < 3; ++a) rows[i][a] = normal();
    }
    for (int i = 0; i < 5; ++i)
      for (int a = 0; a < 3; ++a) {
        right[a] += rows[i][a] * target[i];
        for (int b = 0; b < 3; ++b) gram[3 * a + b] += rows[i][a] * rows[i][b];
      }
    double found[3];
    nonnegative_least_squares(gram, right, 3, found);
    // Non-negative, no gradient where free, outward gradient where zero.
    for (int a = 0; a < 3; ++a) {
      double gradient = -right[a];
      for (int b = 0; b < 3; ++b) gradient += gram[3 * a + b] * found[b];
      EXPECT_GE(found[a], 0);
      if (found[a] > 0) {
        EXPECT_NEAR(gradient, 0, 1e-10);
      } else {
        EXPECT_GE(gradient, -1e-10);
      }
    }
  }
}

}  // namespace
}  // namespace assay
