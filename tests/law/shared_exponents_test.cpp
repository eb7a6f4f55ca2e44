// Shared exponents: against a law that is known, a minimum found in another way, and simulated
// sweeps for coverage, the size of the test and its power.
#include "assay/law/shared/shared_exponents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "assay/core/error.h"
#include "law/laws.h"

namespace assay {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct Truth {
  const char* group;
  double floor, model_efficiency, data_efficiency, alpha = 0.35, beta = 0.37;
};

// A = 480, B = 2100 in the first group, 5 × 5 sizes over two decades.
std::vector<Observation> groups_of(const std::vector<Truth>& truths, double sigma, uint64_t seed,
                                   int n = 5) {
  std::vector<Observation> out;
  const FormPointer form = make_form("chinchilla");
  for (const Truth& truth : truths) {
    const std::vector<double> parameters = {
        truth.floor, 480 * std::pow(truth.model_efficiency, -truth.alpha),
        2100 * std::pow(truth.data_efficiency, -truth.beta), truth.alpha, truth.beta};
    for (Observation row : crossed(*form, parameters, decades(1e7, 2, n), decades(1e9, 2, n), sigma,
                                   seed * 100 + out.size())) {
      row.group = truth.group;
      out.push_back(row);
    }
  }
  return out;
}

const std::vector<Truth> kThree = {
    {"mae", 1.8, 1, 1}, {"jepa", 1.2, 2.5, 0.7}, {"gen", 0.9, 0.4, 3}};

// Each group's own law is refused; so is what they would share.
TEST(SharedExponents, NeedADesignThatTellsThemApart) {
  std::vector<Observation> rows;
  for (const Observation& row : groups_of(kThree, 0.005, 4))
    if (row.model_size < 4e7) rows.push_back(row);  // two sizes
  const auto refusal = [](const std::vector<Observation>& table) -> std::string {
    try {
      share_exponents(table, {.resamples = 0});
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal(rows), HasSubstr("model_size has 2 different values"));
  rows.clear();
  for (const Observation& row : groups_of(kThree, 0.005, 5, 20))
    if (std::fabs(row.data_size / (100 * row.model_size) - 1) < 1e-6) rows.push_back(row);
  EXPECT_THAT(refusal(rows), HasSubstr("single line"));
  // One good design tells the exponents for all.
  for (const Observation& row : groups_of({kThree[0]}, 0.005, 6)) rows.push_back(row);
  EXPECT_EQ(refusal(rows), "");
}

TEST(SharedExponents, UpperBoundsAddNoDegreesOfFreedom) {
  auto rows = groups_of(kThree, 0.005, 7);
  const SharedExponents alone = share_exponents(rows, {.resamples = 0});
  for (Observation row : groups_of(kThree, 0, 8, 4)) {
    row.loss *= 1.5;
    row.status = ObservationStatus::upper_bound;
    rows.push_back(row);
  }
  const SharedExponents beside = share_exponents(rows, {.resamples = 0});
  EXPECT_EQ(beside.residual_degrees, alone.residual_degrees);
  EXPECT_NEAR(beside.statistic, alone.statistic, 1e-6);
}

// Two groups so noisy that neither tells beta do not tell it together.
TEST(SharedExponents, SayWhereTheyAreNotDetermined) {
  const auto rows = groups_of({{"a", 1.8, 1, 1}, {"b", 1.8, 1, 1}}, 0.15, 9, 4);
  const SharedExponents shared = share_exponents(rows, {.resamples = 300});
  EXPECT_THAT(shared.reasons, Contains(HasSubstr("is not determined")));
  for (const StoredLaw& law : stored_laws(shared, "nats")) {
    EXPECT_FALSE(law.identifiable);
    EXPECT_FALSE(law.reasons.empty());
  }
  EXPECT_TRUE(share_exponents(groups_of(kThree, 0.003, 9), {.resamples = 300}).reasons.empty());
}

TEST(SharedExponents, NoiseFreeGroupsGiveTheirLaw) {
  const SharedExponents out =
      share_exponents(groups_of(kThree, 0, 1), {.loss = RobustLoss::huber(1e-3), .resamples = 0});
  EXPECT_TRUE(out.converged);
  EXPECT_NEAR(out.alpha, 0.35, 1e-5);
  EXPECT_NEAR(out.beta, 0.37, 1e-5);
  ASSERT_THAT(out.groups, SizeIs(3));
  for (std::size_t g = 0; g < 3; ++g) {
    EXPECT_NEAR(out.groups[g].coefficients[0] / kThree[g].floor, 1, 1e-4);
    EXPECT_NEAR(out.groups[g].model_efficiency / kThree[g].model_efficiency, 1, 1e-3);
    EXPECT_NEAR(out.groups[g].data_efficiency / kThree[g].data_efficiency, 1, 1e-3);
  }
  EXPECT_TRUE(std::isnan(out.alpha_interval.low));
}

// The sum that is minimised, from its definition, is nowhere lower: along each of the 2 + 3 G
// parameters, and along random directions.
TEST(SharedExponents, AreAtTheMinimumOfTheSum) {
  const auto rows = groups_of(kThree, 0.01, 2);
  const RobustLoss loss = RobustLoss::huber(0.008);
  const SharedExponents out = share_exponents(rows, {.loss = loss, .resamples = 0});
  EXPECT_TRUE(out.converged);
  EXPECT_GE(out.agreeing, 2);
  std::vector<double> scales;
  for (const Truth& truth : kThree) {
    std::vector<Observation> own;
    for (const Observation& row : rows)
      if (row.group == truth.group) own.push_back(row);
    const LawFit fit = fit_law(law_problem(own, make_form("chinchilla")), {.loss = loss});
    double squares = 0, inside = 0;
    for (const double r : fit.residuals) {
      squares += std::min(r * r, 0.008 * 0.008);
      inside += std::fabs(r) <= 0.008;
    }
    scales.push_back(squares / 20 / (inside / 25));
  }
  const auto sum = [&](const std::vector<double>& at) {
    double total = 0;
    for (const Observation& row : rows) {
      const std::size_t g = row.group == "mae" ? 0 : row.group == "jepa" ? 1 : 2;
      const double value = at[2 + 3 * g] + at[3 + 3 * g] * std::pow(row.model_size, -at[0]) +
                           at[4 + 3 * g] * std::pow(row.data_size, -at[1]);
      const double r = std::fabs(std::log(row.loss / value));
      total += (r <= 0.008 ? r * r / 2 : 0.008 * (r - 0.004)) / scales[g];
    }
    return total;
  };
  std::vector<double> best = {out.alpha, out.beta};
  for (const SharedGroup& group : out.groups)
    best.insert(best.end(), group.coefficients.begin(), group.coefficients.end());
  EXPECT_NEAR(sum(best) / out.objective, 1, 1e-9);
  Normals normal(3);
  for (int trial = 0; trial < 400; ++trial)
    for (const double step : {1e-2, 1e-4}) {
      auto moved = best;
      for (std::size_t j = 0; j < moved.size(); ++j)
        moved[j] *=
            1 + step * (trial < 22 ? (trial / 2 == static_cast<int>(j)) * (trial % 2 * 2 - 1)
                                   : normal());
      EXPECT_GE(sum(moved), out.objective * (1 - 1e-9)) << trial;
    }
}

// A group with itself: the exponents are those of the group alone, and nothing is gained.
TEST(SharedExponents, OfAGroupWithItsCopyAreItsOwn) {
  auto rows = groups_of({kThree[0]}, 0.005, 4);
  const LawFit own = fit_law(law_problem(rows, make_form("chinchilla")));
  const auto copy = rows;
  for (Observation row : copy) {
    row.group = "copy";
    rows.push_back(row);
  }
  const SharedExponents out = share_exponents(rows, {.resamples = 0});
  EXPECT_NEAR(out.alpha, own.parameters[3], 1e-7);
  EXPECT_NEAR(out.beta, own.parameters[4], 1e-7);
  EXPECT_NEAR(out.groups[1].model_efficiency, 1, 1e-6);
  EXPECT_NEAR(out.statistic, 0, 1e-6);
  EXPECT_NEAR(out.p_value, 1, 1e-6);
}

// H0 of the first part: 95% intervals of alpha and of the second group's efficiencies cover at
// least .92; n = 120 sweeps of three groups; rejected beyond the limits of the level 1e-6
// (.92 − 4.75 · .0248). H0 of the second: the test rejects at most 7% of true hypotheses at 5%;
// beyond .07 + 4.75 · .0147 over 300 sweeps. Power: alpha lower by .1 in one group (eight standard
// errors) is always seen.
TEST(SharedExponents, IntervalsCoverAndTheTestHasItsSize) {
  int alpha = 0, model = 0, data = 0, rejected = 0;
  constexpr int kCovered = 120, kTested = 300;
  const auto covers = [](const LawLimits& limits, double value) {
    return limits.low <= value && value <= limits.high;
  };
  for (int sweep = 0; sweep < kTested; ++sweep) {
    const auto rows = groups_of(kThree, 0.005, 500 + static_cast<uint64_t>(sweep));
    const SharedExponents out = share_exponents(
        rows, {.loss = RobustLoss::least_squares(), .resamples = sweep < kCovered ? 200 : 0});
    rejected += out.p_value < 0.05;
    if (sweep >= kCovered) continue;
    alpha += covers(out.alpha_interval, 0.35);
    model += covers(out.groups[1].model_interval, 2.5);
    data += covers(out.groups[1].data_interval, 0.7);
  }
  for (const int covered : {alpha, model, data})
    EXPECT_GE(covered, static_cast<int>(kCovered * (0.92 - 4.75 * 0.0248)));
  EXPECT_LE(rejected, static_cast<int>(kTested * (0.07 + 4.75 * 0.0147)));
  RecordProperty("alpha", alpha);
  RecordProperty("model", model);
  RecordProperty("data", data);
  RecordProperty("rejected", rejected);
  auto different = kThree;
  different[2].alpha = 0.25;
  for (uint64_t seed = 0; seed < 20; ++seed)
    EXPECT_LT(share_exponents(groups_of(different, 0.005, 900 + seed), {.resamples = 0}).p_value,
              1e-4);
}

// Sharing narrows: three groups tell one alpha better than one group alone.
TEST(SharedExponents, AreNarrowerThanAGroupsOwn) {
  const auto rows = groups_of(kThree, 0.005, 5);
  const SharedExponents out = share_exponents(rows, {.resamples = 400});
  EXPECT_EQ(out.kept, 400);
  const std::vector<Observation> first(rows.begin(), rows.begin() + 25);
  const LawProblem problem = law_problem(first, make_form("chinchilla"));
  const LawLimits own = bootstrap(problem, fit_law(problem), {.resamples = 400}).interval(3);
  EXPECT_LT(out.alpha_interval.high - out.alpha_interval.low, 0.85 * (own.high - own.low));
  EXPECT_EQ(out.groups[0].model_interval.low, 1);
  const SharedExponents again = share_exponents(rows, {.resamples = 400});
  EXPECT_EQ(again.alpha_interval.low, out.alpha_interval.low);
}

TEST(SharedExponents, AreRefusedWhereTheyMeanNothing) {
  const auto message = [](const std::vector<Observation>& rows) -> std::string {
    try {
      share_exponents(rows, {.resamples = 0});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "law.shared");
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message(groups_of({kThree[0]}, 0.005, 6)), HasSubstr("one group"));
  auto units = groups_of(kThree, 0.005, 7);
  for (Observation& row : units) row.loss_unit = row.group == "gen" ? "bits" : "nats";
  EXPECT_THAT(message(units), HasSubstr("different units (`bits` and `nats`)"));
  auto few = groups_of(kThree, 0.005, 8);
  few.resize(55);
  EXPECT_THAT(message(few), HasSubstr("group `gen`: 5 measured rows, and sharing needs at least 8"));
}

TEST(SharedExponents, SayThatRowsOfOneRunAreNotIndependent) {
  auto rows = groups_of(kThree, 0.005, 9);
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i].run = rows[i].group + std::to_string(rows[i].model_size);
  EXPECT_THAT(share_exponents(rows, {.resamples = 0}).warnings, Contains(HasSubstr("p-value")));
}

}  // namespace
}  // namespace assay
