// The fitter: optimality conditions, faults it must report, loss scale, censored rows.
#include "assay/law/fit/fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "assay/core/error.h"
#include "law/laws.h"

namespace assay {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::HasSubstr;

LawFit fit_chinchilla(const std::vector<Observation>& table, const FitOptions& options = {}) {
  return fit_law(law_problem(table, make_form("chinchilla")), options);
}

TEST(LawFit, ResultsThatWereNotMadeSaySo) {
  EXPECT_FALSE(LawFit().usable());
  const LawFit fit = fit_chinchilla(square(2, 2, 0, 1));
  EXPECT_FALSE(fit.usable());
  EXPECT_THAT(fit.failure, HasSubstr("4 rows"));
}

TEST(LawFit, AFitStoppedEarlyIsReportedAsNotConverged) {
  const auto table = square(5, 2, 0.005, 7);
  EXPECT_TRUE(fit_chinchilla(table).converged);
  FitOptions stopped;
  stopped.polish.most_iterations = 1;
  stopped.loss = RobustLoss::huber(1e-3);
  const LawFit fit = fit_chinchilla(table, stopped);
  EXPECT_FALSE(fit.converged);
  EXPECT_THAT(fit.warnings, Contains(HasSubstr("not converged")));
}

// The same rows in other units and twice over: the test of convergence must not notice.
TEST(LawFit, DoesNotDependOnUnitsNorOnTheOrderOfRows) {
  auto table = square(5, 2, 0.005, 8);
  const LawFit plain = fit_chinchilla(table);
  for (Observation& row : table) {
    row.model_size *= 1e-6;
    row.data_size *= 1e-9;
    row.loss /= std::log(2.0);
  }
  std::reverse(table.begin(), table.end());
  const LawFit scaled = fit_chinchilla(table);
  EXPECT_NEAR(scaled.objective / plain.objective, 1, 1e-11);
  EXPECT_NEAR(scaled.parameters[3], plain.parameters[3], 1e-7);
  EXPECT_NEAR(scaled.parameters[4], plain.parameters[4], 1e-7);
  EXPECT_NEAR(scaled.parameters[0] * std::log(2.0), plain.parameters[0], 1e-7);
}

TEST(LawFit, ActiveBoundsAreNamed) {
  // Falls faster and faster in the logarithm: no floor can help.
  auto table = square(5, 2, 0, 1);
  for (Observation& row : table)
    row.loss = 400 * std::pow(row.model_size, -0.35) * std::pow(row.data_size, -0.02) *
               std::exp(-0.01 * std::pow(std::log(row.model_size / 1e8), 2));
  const LawFit fit = fit_chinchilla(table);
  ASSERT_TRUE(fit.usable());
  EXPECT_THAT(fit.at_bound, Contains("E"));
  EXPECT_EQ(fit.parameters[0], 0);
  EXPECT_THAT(fit.warnings, Contains(HasSubstr("E is at a bound")));
}

TEST(LawFit, ScaleComesFromReplicatesWhereThereAreSome) {
  std::vector<Observation> table;
  for (uint64_t seed = 0; seed < 3; ++seed)
    for (Observation row : square(5, 2, 0.005, 20 + seed)) {
      row.run = std::to_string(table.size());
      table.push_back(row);
    }
  const LawFit fit = fit_chinchilla(table);
  EXPECT_EQ(fit.scale.source, "replicates");
  EXPECT_EQ(fit.scale.degrees, 50);
  // χ² of 50 degrees is within a factor (.37, 2.1) of 50 at the level 1e-6.
  EXPECT_GT(fit.scale.sigma, 0.005 * std::sqrt(0.37));
  EXPECT_LT(fit.scale.sigma, 0.005 * std::sqrt(2.1));
  EXPECT_EQ(fit.scale.delta, 1.345 * fit.scale.sigma);

  const LawFit single = fit_chinchilla(square(12, 2, 0.005, 21));
  EXPECT_EQ(single.scale.source, "residuals");
  // The median's deviation: 1.17/√(2n) of sigma, n = 144; five and a half of them.
  EXPECT_NEAR(single.scale.sigma, 0.005, 0.005 * 5.5 * 1.17 / std::sqrt(288));
}

TEST(LawFit, RowsOfOneRunAreNoReplicates) {
  auto table = square(3, 2, 0.005, 4);
  const auto again = square(3, 2, 0.005, 5);
  table.insert(table.end(), again.begin(), again.end());
  for (std::size_t i = 0; i < table.size(); ++i) table[i].run = std::to_string(i % 9);
  EXPECT_EQ(replicate_noise(table).degrees, 0);
  for (std::size_t i = 0; i < table.size(); ++i) table[i].run = std::to_string(i);
  EXPECT_EQ(replicate_noise(table).degrees, 9);
}

TEST(LawFit, DivergedRowsAreCountedAndLeftOut) {
  auto table = square(5, 2, 0.005, 9);
  const LawFit before = fit_chinchilla(table);
  Observation bad = table[3];
  bad.status = ObservationStatus::diverged;
  bad.loss = std::numeric_limits<double>::quiet_NaN();
  table.push_back(bad);
  const LawFit after = fit_chinchilla(table);
  EXPECT_EQ(after.diverged, 1);
  EXPECT_EQ(after.rows, 25);
  EXPECT_EQ(after.parameters, before.parameters);
}

// Without noise, a loss above the law that is only an upper bound changes nothing; taken as
// measured it does.
TEST(LawFit, UpperBoundsAboveTheLawDoNotPull) {
  auto table = square(5, 2, 0, 1);
  table[24].loss *= 1.3;
  table[24].status = ObservationStatus::upper_bound;
  const FitOptions squares{.loss = RobustLoss::least_squares()};
  const LawFit censored = fit_chinchilla(table, squares);
  EXPECT_EQ(censored.upper_bounds, 1);
  EXPECT_NEAR(censored.parameters[3], 0.35, 1e-7);
  EXPECT_NEAR(censored.parameters[4], 0.37, 1e-7);
  table[24].status = ObservationStatus::measured;
  EXPECT_GT(std::fabs(fit_chinchilla(table, squares).parameters[4] - 0.37), 1e-2);
  // A bound below the law binds.
  table[24].loss *= 0.9 / 1.3;
  table[24].status = ObservationStatus::upper_bound;
  EXPECT_GT(std::fabs(fit_chinchilla(table, squares).parameters[4] - 0.37), 1e-3);
}

TEST(LawFit, ADuplicatedRunAndMixedUnitsAreNamed) {
  auto table = square(5, 2, 0.005, 10);
  Observation twice = table[7];
  twice.run = "again";
  twice.line = 27;
  table.push_back(twice);
  EXPECT_THAT(fit_chinchilla(table).warnings, Contains(HasSubstr("lines 9 and 27")));
  table.back().loss *= std::log(2.0) * 1.003;
  EXPECT_THAT(fit_chinchilla(table).warnings, Contains(HasSubstr("bits beside nats")));
  table.back().loss = table[7].loss * 1.01;
  EXPECT_TRUE(replicate_faults(table).empty());
}

TEST(LawFit, ColumnsThatAreMissingOrNotPositiveAreErrors) {
  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity()}) {
    auto table = square(4, 2, 0, 1);
    table[2].data_size = bad;
    try {
      fit_chinchilla(table);
      FAIL() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "law.column");
      EXPECT_THAT(error.what(), HasSubstr("line 4: data_size"));
    }
  }
}

TEST(LawFit, LossesAreReadFromText) {
  EXPECT_EQ(parse_loss("huber:auto").kind, RobustLoss::Kind::huber_auto);
  EXPECT_EQ(parse_loss("huber:1e-3").delta, 1e-3);
  EXPECT_EQ(parse_loss("mse").kind, RobustLoss::Kind::least_squares);
  for (const char* bad : {"huber", "huber:", "huber:0", "huber:-1", "huber:1x", "huber:inf", "mae"})
    EXPECT_THROW(parse_loss(bad), Error) << bad;
}

// Minima are sought in a part of the rows, and the result is the minimum over all of them.
TEST(LawFit, ManyRowsGiveTheMinimumOverAllOfThem) {
  const auto table = square(120, 2, 0.005, 12);
  const LawProblem problem = law_problem(table, make_form("chinchilla"));
  const LawFit fit = fit_law(problem, {.loss = RobustLoss::huber(1e-3)});
  EXPECT_TRUE(fit.converged);
  EXPECT_EQ(fit.rows, 14400);
  EXPECT_EQ(fit.agreeing, fit.starts);
  EXPECT_EQ(fit.residuals.size(), table.size());
  LawObjective objective(*problem.form, problem.rows, 1e-3);
  LawVector start(5);
  start << 0.3, 0.3, 0.4, 0.3, 0.4;
  const Polished whole = polish(objective, start);
  EXPECT_TRUE(whole.converged);
  EXPECT_NEAR(fit.objective / whole.objective, 1, 1e-11);
}

// Correlation of log A and alpha in table units is that of a regression far from its origin.
TEST(LawFit, CorrelationIsOfTheReportedParameters) {
  const LawFit fit = fit_chinchilla(square(5, 2, 0.005, 11));
  ASSERT_EQ(fit.correlation.size(), 25u);
  for (std::size_t j = 0; j < 5; ++j) EXPECT_NEAR(fit.correlation[6 * j], 1, 1e-12);
  EXPECT_GT(fit.correlation[1 * 5 + 3], 0.99);
  EXPECT_GT(fit.correlation[2 * 5 + 4], 0.99);
  EXPECT_GT(fit.correlation[3], 0.2);  // E rises with alpha
  EXPECT_GT(fit.condition_number, 10);
  EXPECT_LT(fit.condition_number, 1e6);
}

}  // namespace
}  // namespace assay
