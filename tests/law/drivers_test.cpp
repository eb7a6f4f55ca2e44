// Drivers against outcomes: chance, power, and verdicts.
#include "assay/law/drivers/drivers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/core/error.h"
#include "assay/stats/interval.h"
#include "law/driver_points.h"

namespace assay {
namespace {

using namespace testing;
using ::testing::HasSubstr;

// Published plan: objectives for a power of 80%.
TEST(CorrelationPower, ObjectivesNeeded) {
  EXPECT_EQ(pairs_needed(0.9), 7);
  EXPECT_EQ(pairs_needed(0.8), 10);
  EXPECT_EQ(pairs_needed(-0.7), 14);
  EXPECT_EQ(pairs_needed(0.6), 20);
  EXPECT_EQ(pairs_needed(0.5), 29);
  EXPECT_EQ(pairs_needed(0), 0);
  EXPECT_NEAR(correlation_power(0, 10), 0.05, 1e-12);
  EXPECT_EQ(correlation_power(0.9, 3), 0);
  EXPECT_EQ(least_correlation(3), 1);
  for (const double r : {0.5, 0.7, 0.9})
    EXPECT_LE(least_correlation(static_cast<double>(pairs_needed(r))), r);
}

// H0: the power is the one told; n = 2,000 samples of 14 pairs at r = .7, told .82; the exact one
// is up to .03 above. Level 1e-6: 4.9 standard deviations of .0086.
TEST(CorrelationPower, AgreesWithSimulation) {
  Normals normal(11);
  int seen = 0;
  for (int i = 0; i < 2000; ++i) {
    std::vector<double> x, y;
    for (int k = 0; k < 14; ++k) {
      x.push_back(normal());
      y.push_back(0.7 * x.back() + std::sqrt(0.51) * normal());
    }
    const double r = pearson(x, y);
    seen += std::fabs(r) * std::sqrt(12 / (1 - r * r)) > student_quantile(0.975, 12);
  }
  const double told = correlation_power(0.7, 14);
  EXPECT_NEAR(told, 0.82, 0.005);
  EXPECT_GE(seen / 2000.0, told - 0.042);
  EXPECT_LE(seen / 2000.0, told + 0.03 + 0.042);
}

TEST(Permutations, AreCountedExactlyWhereTheyAreFew) {
  const std::vector<std::vector<double>> x = {{1, 2, 3, 4, 5}};
  // Only the order itself and its reverse have |r| = 1.
  const PermutationTest line = permutation_test(x, std::vector<double>{2, 4, 6, 8, 10}, Seed(1));
  EXPECT_TRUE(line.exact);
  EXPECT_EQ(line.orders, 120);
  EXPECT_DOUBLE_EQ(line.p_value, 2.0 / 120);
  // Two columns span every linear outcome of theirs.
  const std::vector<std::vector<double>> two = {{1, 2, 3, 4, 5}, {1, 0, 2, 7, 1}};
  EXPECT_NEAR(squared_correlation(two, std::vector<double>{2, 2, 5, 11, 6}), 1, 1e-12);
  Normals normal(12);
  std::vector<std::vector<double>> noise(1);
  std::vector<double> y;
  for (int i = 0; i < 14; ++i) noise[0].push_back(normal()), y.push_back(normal());
  const PermutationTest drawn = permutation_test(noise, y, Seed(1));
  EXPECT_FALSE(drawn.exact);
  EXPECT_EQ(drawn.orders, 20001);
  EXPECT_EQ(permutation_test(noise, y, Seed(1)).p_value, drawn.p_value);
  // Near the t-test, which is exact here; 20,000 draws deviate by .0035 at most.
  const double r = pearson(noise[0], y), t = std::fabs(r) * std::sqrt(12 / (1 - r * r));
  EXPECT_NEAR(drawn.p_value, 2 * (1 - student_cdf(t, 12)), 0.03);
}

// H0: for a driver of noise p is uniform; Kolmogorov's distance of n = 300 tables of 10 objectives
// with unequal errors, level 1e-6: √(log(2·10⁶)/600) = .156 (and 1/20,001 for the steps).
TEST(Permutations, ADriverOfNoiseGivesAUniformP) {
  Normals normal(13);
  std::vector<double> p;
  for (uint64_t i = 0; i < 300; ++i) {
    const auto points =
        simulate({.objectives = 10, .slope = 0, .driver_error = 0.5, .unequal = true}, normal);
    std::vector<std::vector<double>> x(1);
    std::vector<double> y;
    for (const DriverPoint& at : points) x[0].push_back(at.drivers[0]), y.push_back(at.outcome);
    p.push_back(permutation_test(x, y, Seed(i)).p_value);
  }
  std::ranges::sort(p);
  double distance = 0;
  for (size_t i = 0; i < p.size(); ++i)
    distance = std::max({distance, std::fabs(p[i] - static_cast<double>(i) / 300),
                         std::fabs(p[i] - static_cast<double>(i + 1) / 300)});
  EXPECT_LT(distance, 0.156);
}

TEST(Drivers, ARelationIsSeen) {
  Normals normal(31);
  const auto points = simulate(
      {.objectives = 16, .scatter = 0.2, .driver_error = 0.2, .outcome_error = 0.2}, normal);
  const DriverAnalysis found = analyse_drivers(points);
  EXPECT_EQ(found.verdict, DriverVerdict::predicts) << found.sentence;
  EXPECT_LT(found.error, 0.7 * found.mean_error);
  EXPECT_LT(found.slope_limits[0].low, 1);
  EXPECT_GT(found.slope_limits[0].high, 1);
  EXPECT_GT(std::fabs(found.law.correlation), std::fabs(found.measured_correlation));
  EXPECT_EQ(found.power[2].correlation, 0.7);
  EXPECT_GE(found.power[2].needed, 14);  // errors attenuate
  // One left out is the regression on the others.
  auto others = points;
  others.erase(others.begin() + 4);
  EXPECT_DOUBLE_EQ(
      found.left_out[4].predicted,
      predict_outcome(errors_in_variables(others), points[4].drivers, points[4].driver_errors));
}

TEST(Drivers, TooFewObjectivesAreRefused) {
  Normals normal(32);
  const Design exact{.objectives = 5, .scatter = 0, .driver_error = 0, .outcome_error = 0};
  const auto points = simulate(exact, normal);
  const DriverAnalysis found = analyse_drivers(points);
  EXPECT_EQ(found.verdict, DriverVerdict::refused);
  EXPECT_THAT(found.sentence,
              HasSubstr("refused: 5 objectives have 80% power only for |r| ≥ 0.96"));
  EXPECT_THAT(found.sentence, HasSubstr("14 needed for .7"));
  EXPECT_EQ(to_json(found, points)["verdict"], "refused");
  EXPECT_NEAR(found.law.slopes[0], 1, 1e-6);
}

TEST(Drivers, NoRelationNeedsPowerToBeSaid) {
  Normals normal(33);
  const auto verdict = [&](int objectives, double error) {
    for (;;) {  // the first table without a chance finding
      const auto points = simulate(
          {.objectives = objectives, .slope = 0, .driver_error = error, .outcome_error = error},
          normal);
      const DriverAnalysis found = analyse_drivers(points);
      if (found.permutation.p_value > 0.2) return found.verdict;
    }
  };
  EXPECT_EQ(verdict(10, 0), DriverVerdict::inconclusive);
  EXPECT_EQ(verdict(20, 0), DriverVerdict::not_seen);
  EXPECT_EQ(verdict(20, 2), DriverVerdict::inconclusive);  // errors hide what there might be
}

TEST(Drivers, ADriverWithinItsErrorsShowsNothing) {
  Normals normal(9);
  auto points = simulate({.slope = 0, .driver_error = 0}, normal);
  for (DriverPoint& p : points) p.driver_errors[0] = 2;
  const DriverAnalysis found = analyse_drivers(points);
  EXPECT_EQ(found.driver_reliability[0], 0);
  EXPECT_EQ(found.power[0].needed, 0);
  EXPECT_THAT(found.warnings[0], HasSubstr("arbitrary"));
}

std::string refusal_code(const std::vector<DriverPoint>& points) {
  try {
    analyse_drivers(points);
  } catch (const Error& error) {
    return error.code();
  }
  return "accepted";
}

TEST(Drivers, BadTablesAreRefused) {
  EXPECT_EQ(refusal_code({point(1, 2), point(2, 3)}), "law.drivers");
  EXPECT_EQ(refusal_code({point(1, 2), point(1, 3), point(1, 4)}), "data.constant");
  EXPECT_EQ(refusal_code({point(1, 2), point(2, 2), point(3, 2)}), "data.constant");
  EXPECT_EQ(refusal_code({point(1, 2, -0.1), point(2, 3), point(4, 4)}), "data.sign");
  EXPECT_EQ(refusal_code({point(1, 2), point(2, 3.5), point(4, 4)}), "accepted");
  Normals normal(34);
  std::vector<DriverPoint> two;
  for (int i = 0; i < 14; ++i) {
    const double x = normal();
    two.push_back({"o", normal(), 0, {x, normal()}, {0, 0}, 0});
  }
  EXPECT_EQ(refusal_code(two), "accepted");
  EXPECT_EQ(refusal_code({two.begin(), two.begin() + 13}), "law.drivers");
  for (DriverPoint& p : two) p.drivers[1] = 2 * p.drivers[0] + 1;
  EXPECT_EQ(refusal_code(two), "data.constant");
}

}  // namespace
}  // namespace assay
