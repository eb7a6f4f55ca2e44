// The saddlepoint tail against SciPy 1.17.1 values of (noncentral) χ² written down.
#include "assay/stats/quadratic_form.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "assay/stats/interval.h"
#include "assay/stats/moments.h"
#include "stats/sources.h"

namespace assay {
namespace {

// scipy.stats.chi2.ppf and ncx2.ppf(q, degrees, noncentrality).
TEST(QuadraticForm, EqualWeightsAreChiSquared) {
  struct Row {
    size_t degrees;
    double noncentrality, x, upper, tolerance;
  };
  const std::vector<Row> table = {
      {1, 0, 5.023886187314888, 0.025, 5e-4},  {1, 0, 0.0009820691171752583, 0.975, 4e-3},
      {3, 0, 9.348403604496148, 0.025, 2e-4},  {3, 0, 2.3659738843753377, 0.5, 6e-4},
      {3, 0, 0.2157952826238983, 0.975, 5e-4}, {50, 0, 71.42019518750642, 0.025, 1e-5},
  };
  for (const Row& row : table) {
    QuadraticForm form{.weights = std::vector<double>(row.degrees, 2.0)};
    form.signal = 2 * row.noncentrality;
    form.signal_weight = 2;
    const double x = 2 * (row.x - static_cast<double>(row.degrees));
    EXPECT_NEAR(form.upper_tail(x), row.upper, row.tolerance) << row.degrees << " at " << row.x;
  }
}

// Σ w (z + δ)² less Σ w, weights of both signs, plus a normal: against 200,000 draws, where a share
// of .025 has the standard error .00035. Tolerance: 4.9 of them and .004 of the approximation,
// which is worst where one weight carries most.
TEST(QuadraticForm, SignalAndErrorOfBothSignsAgreeWithSimulation) {
  const std::vector<double> weights = {3, 1, 0.5, -0.2, -0.2, -0.2};
  QuadraticForm form{.weights = weights, .signal = 4, .signal_weight = 3, .normal_variance = 2};
  constexpr int n = 200'000;
  std::vector<double> values;
  for (int i = 0; i < n; ++i) {
    const testing::Vector z = testing::normal_vector(Seed(1), i, 7);
    double value = 4 + 2 * std::sqrt(4.0 * 3) * z[0] + std::sqrt(2.0) * z[6];
    for (size_t k = 0; k < weights.size(); ++k) {
      const double square = z[static_cast<Eigen::Index>(k)] * z[static_cast<Eigen::Index>(k)];
      value += weights[k] * (square - 1);
    }
    values.push_back(value);
  }
  for (const double x : {-4.0, 0.0, 4.0, 10.0, 20.0, 30.0}) {
    Moments above;
    for (const double value : values) above.add(value >= x ? 1 : 0);
    EXPECT_NEAR(form.upper_tail(x), above.mean(), 4.9 * above.standard_error() + 4e-3) << x;
  }
}

TEST(QuadraticForm, WithoutSpreadIsAStepAndWithErrorAloneNormal) {
  QuadraticForm form;
  EXPECT_EQ(form.upper_tail(-1), 1);
  EXPECT_EQ(form.upper_tail(1), 0);
  EXPECT_EQ(form.upper_tail(0), 0.5);
  form.normal_variance = 4;
  for (const double x : {-3.0, -1e-4, 0.0, 1.0, 6.0})
    EXPECT_NEAR(form.upper_tail(x), normal_cdf(-x / 2), 1e-6);
}

}  // namespace
}  // namespace assay
