// Optimal sweeps against known optima, enumeration and the grid; plans from a target.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "assay/core/error.h"
#include "assay/law/plan/planner.h"

namespace assay {
namespace {

// Every run costs one second.
const RunCost kEqual{.flops_per = 1e-30, .rate = 1, .workers = 1, .overhead = 1};

SweepRegion along_data(double decades) { return {1e6, 1e6, 1e4, 1e4 * std::pow(10, decades)}; }
SweepRegion square_region(double decades) {
  return {1e6, 1e6 * std::pow(10, decades), 1e8, 1e8 * std::pow(10, decades)};
}

std::string code_of(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return "none";
}

// The slope of a line is known best, and its determinant is largest, with half of the runs at
// either end (Fedorov 1972).
TEST(SweepExchange, PutsTheRunsOfALineAtItsEnds) {
  const SweepRegion region = along_data(2);
  const DesignModel model({make_form("power", LawAxis::data_size), {3.0, 0.2}}, region);
  const Sweep candidates = grid_sweep(region, {.budgets = 21, .corner_seeds = 0});
  const ExchangeLimits limits{
      .seconds = 20, .most_runs = 99, .most_seeds = 20, .least_points = 2, .least_runs = 2};
  for (const Eigen::MatrixXd& contrasts : {Eigen::MatrixXd(), model.contrasts("c")}) {
    const ExchangedSweep found = exchange_sweep(model, candidates, contrasts, kEqual, limits);
    ASSERT_EQ(found.sweep.size(), 2U);
    EXPECT_NEAR(found.sweep[0].data_size / 1e4, 1, 1e-9);
    EXPECT_NEAR(found.sweep[1].data_size / 1e6, 1, 1e-9);
    EXPECT_EQ(found.sweep[0].runs, 10);
    EXPECT_EQ(found.sweep[1].runs, 10);
    EXPECT_NEAR(found.efficiency, 1, 1e-6);
  }
}

// E + A x^-c at E = 0: J ∝ (e^{c z}, 1, z) with z = log x. The determinant of three points a, z, b
// is stationary where c e^{c z} = (e^{c b} − e^{c a})/(b − a), and D-optimal runs are thirds.
TEST(SweepExchange, FindsTheThreePointsOfAFloorAndAPower) {
  const double c = 0.5, a = std::log(1e4), b = std::log(1e7);
  const SweepRegion region = along_data(3);
  const DesignModel model({make_form("floor_power", LawAxis::data_size), {0, 100, c}}, region);
  const Sweep candidates = grid_sweep(region, {.budgets = 601, .corner_seeds = 0});
  const ExchangedSweep found = exchange_sweep(
      model, candidates, {}, kEqual,
      {.seconds = 30, .most_runs = 99, .most_seeds = 30, .least_points = 3, .least_runs = 3});
  const double between = std::log((std::exp(c * b) - std::exp(c * a)) / (c * (b - a))) / c;
  ASSERT_EQ(found.sweep.size(), 3U);
  for (const SweepPoint& point : found.sweep) EXPECT_EQ(point.runs, 10);
  EXPECT_NEAR(std::log(found.sweep[1].data_size), between, (b - a) / 600);
  EXPECT_GT(found.efficiency, 0.9999);
}

// Two points whose runs cost 1 and 16: the slope is best known for the money with four times as
// many of the cheap ones, n ∝ 1/√cost.
TEST(SweepExchange, SpendsByTheRootOfTheCost) {
  const SweepRegion region = along_data(2);
  const DesignModel model({make_form("power", LawAxis::data_size), {3.0, 0.2}}, region);
  const RunCost cost{.flops_per = 1, .rate = 1e10};
  const Sweep candidates = {{1e6, 1e4}, {1e6, 16e4}};
  const ExchangedSweep found = exchange_sweep(
      model, candidates, model.contrasts("c"), cost,
      {.seconds = 400, .most_runs = 999, .most_seeds = 400, .least_points = 2, .least_runs = 2});
  EXPECT_EQ(found.sweep[0].runs, 80);
  EXPECT_EQ(found.sweep[1].runs, 20);
  EXPECT_NEAR(found.efficiency, 1, 1e-6);
}

// All 3^9 sweeps of up to two runs at nine points: the exchange finds the best within the cost, or
// one within 1% of it, and never claims more than is true.
TEST(SweepExchange, IsNearTheBestOfAllSweepsAndSaysHowNear) {
  const SweepRegion region = square_region(2);
  const DesignModel model(guess_law({}, region), region);
  const Sweep candidates = grid_sweep(region, {3, 3, 1, 0});
  const Eigen::MatrixXd contrasts = model.contrasts("alpha");
  const RunCost cost{.rate = 1e12};
  for (const double part : {0.3, 0.6, 0.9}) {
    const double seconds = part * 2 * worker_seconds(candidates, cost);
    const ExchangeLimits limits{
        .seconds = seconds, .most_runs = 14, .most_seeds = 2, .least_points = 6, .least_runs = 6};
    const ExchangedSweep found = exchange_sweep(model, candidates, contrasts, cost, limits);
    EXPECT_LE(worker_seconds(found.sweep, cost), seconds * (1 + 1e-9));
    EXPECT_LE(runs_of(found.sweep), 14);
    double best = 1e9;
    for (int code = 0; code < 19683; ++code) {
      Sweep sweep;
      for (int i = 0, rest = code; i < 9; ++i, rest /= 3)
        if (rest % 3 > 0) {
          sweep.push_back(candidates[static_cast<std::size_t>(i)]);
          sweep.back().runs = rest % 3;
        }
      if (sweep.size() < 6 || runs_of(sweep) > 14 || worker_seconds(sweep, cost) > seconds)
        continue;
      try {
        best = std::min(best, sweep_precision(model, sweep, 1).standard_error("alpha"));
      } catch (const Error&) {
      }
    }
    const double own = sweep_precision(model, found.sweep, 1).standard_error("alpha");
    EXPECT_LT(own / best, 1.01) << part;
    EXPECT_LE(found.efficiency, std::pow(best / own, 2) * (1 + 1e-6)) << part;
    EXPECT_GT(found.efficiency, 0.4) << part;
  }
}

TEST(SweepExchange, RefusesABudgetTooSmall) {
  const SweepRegion region = square_region(2);
  const DesignModel model(guess_law({}, region), region);
  const Sweep candidates = grid_sweep(region, {5, 5, 1, 0});
  EXPECT_EQ(code_of([&] {
              exchange_sweep(model, candidates, model.contrasts("alpha"), {}, {.seconds = 1});
            }),
            "plan.budget");
}

SweepRequest request(SweepKind kind) {
  SweepRequest out;
  out.kind = kind;
  out.region = square_region(2.5);
  out.guess = guess_law({}, out.region);
  out.cost.rate = 1e15;
  return out;
}

TEST(SweepPlanner, OptimalSweepsBeatTheGridAtItsCost) {
  const SweepPlan grid = plan_sweep(request(SweepKind::grid));
  const SweepPlan optimal = plan_sweep(request(SweepKind::optimal));
  EXPECT_EQ(grid.precision.runs, 33);
  EXPECT_LE(optimal.hours, grid.hours * (1 + 1e-9));
  EXPECT_LT(optimal.precision.standard_error("exponents"),
            0.8 * grid.precision.standard_error("exponents"));
  EXPECT_GT(*optimal.grid_efficiency, 1.5);
  EXPECT_GT(*optimal.efficiency_bound, 0.8);
  EXPECT_LE(*optimal.efficiency_bound, 1);
  SweepRequest determinant = request(SweepKind::optimal);
  determinant.determinant = true;
  EXPECT_GT(*plan_sweep(determinant).efficiency_bound, 0.8);
}

TEST(SweepPlanner, ReachesATargetAtLittleCost) {
  for (const SweepKind kind : {SweepKind::grid, SweepKind::isoflop, SweepKind::optimal}) {
    SweepRequest wanted = request(kind);
    wanted.target = {.of = "alpha", .standard_error = 0.005};
    const SweepPlan plan = plan_sweep(wanted);
    EXPECT_TRUE(plan.reached);
    EXPECT_LE(plan.precision.standard_error("alpha"), 0.005);
    EXPECT_TRUE(plan.remedies.empty());
    wanted.target.standard_error = 0.003;
    EXPECT_GT(plan_sweep(wanted).hours, plan.hours);
    EXPECT_NE(plan.limit.find("alpha is limited most by"), std::string::npos) << plan.limit;
  }
  SweepRequest width = request(SweepKind::optimal);
  width.target = {.of = "exponents", .half_width = 0.02};
  const SweepPlan plan = plan_sweep(width);
  EXPECT_LE(plan.precision.half_width("exponents"), 0.02);
  EXPECT_GE(plan.precision.runs, 16);
  EXPECT_GE(plan.sweep.size(), 9U);
}

TEST(SweepPlanner, SaysWhatWouldReachATargetThatItMisses) {
  for (const SweepKind kind : {SweepKind::grid, SweepKind::isoflop, SweepKind::optimal}) {
    SweepRequest wanted = request(kind);
    wanted.target = {.of = "exponents", .standard_error = 0.0005};
    const SweepPlan plan = plan_sweep(wanted);
    EXPECT_FALSE(plan.reached);
    ASSERT_GE(plan.remedies.size(), 2U);
    for (const SweepLever& remedy : plan.remedies)
      EXPECT_LE(remedy.standard_error, 0.0005 * (1 + 1e-9)) << remedy.change;
  }
  // Within the hours it is not reached, without their limit it is, and the plan says for how many.
  SweepRequest wanted = request(SweepKind::optimal);
  wanted.target = {.of = "exponents", .standard_error = 0.003};
  const double needed = plan_sweep(wanted).hours;
  wanted.hours = needed / 10;
  const SweepPlan plan = plan_sweep(wanted);
  EXPECT_FALSE(plan.reached);
  EXPECT_LE(plan.hours, needed / 10 * (1 + 1e-9));
  ASSERT_FALSE(plan.remedies.empty());
  EXPECT_NE(plan.remedies.front().change.find("more hours"), std::string::npos);
  EXPECT_NEAR(plan.remedies.front().hours / needed, 1, 0.05);
}

// With many workers the hours are those of the longest run.
TEST(SweepPlanner, TakesNoRunLongerThanTheHours) {
  SweepRequest wanted = request(SweepKind::optimal);
  wanted.cost.workers = 1000;
  wanted.hours = 0.05;
  const SweepPlan plan = plan_sweep(wanted);
  for (const SweepPoint& point : plan.sweep)
    EXPECT_LE(wanted.cost.seconds(point), 0.05 * 3600 * (1 + 1e-9));
  EXPECT_LE(plan.hours, 0.05 * (1 + 1e-9));
  EXPECT_GT(plan_sweep(request(SweepKind::grid)).hours, 0.05);
}

TEST(SweepPlanner, CountsHoursByWorkersAndNeverBelowTheLongestRun) {
  SweepRequest one = request(SweepKind::grid), many = one;
  many.cost.workers = 1000;
  const SweepPlan slow = plan_sweep(one), fast = plan_sweep(many);
  EXPECT_NEAR(slow.hours * 3600, slow.flops / 1e15, 1e-6 * slow.hours * 3600);
  const SweepPoint corner{1e6 * std::pow(10, 2.5), 1e8 * std::pow(10, 2.5)};
  EXPECT_NEAR(fast.hours * 3600 / one.cost.seconds(corner), 1, 1e-9);
  EXPECT_NEAR(one.cost.flops(corner) / (6 * corner.model_size * corner.data_size), 1, 1e-12);
}

TEST(SweepPlanner, RefusesRequestsWithoutSense) {
  const auto code = [](const auto& change) {
    SweepRequest wanted = request(SweepKind::grid);
    change(wanted);
    return code_of([&] { plan_sweep(wanted); });
  };
  EXPECT_EQ(code([](SweepRequest& r) { r.target.standard_error = 0; }), "plan.target");
  EXPECT_EQ(code([](SweepRequest& r) { r.target.half_width = -1; }), "plan.target");
  EXPECT_EQ(code([](SweepRequest& r) { r.target.of = "gamma"; }), "plan.target");
  EXPECT_EQ(code([](SweepRequest& r) { r.hours = 0; }), "plan.target");
  EXPECT_EQ(code([](SweepRequest& r) { r.sigma = 0; }), "plan.noise");
  EXPECT_EQ(code([](SweepRequest& r) { r.cost.rate = 0; }), "plan.cost");
  EXPECT_EQ(code([](SweepRequest& r) { r.grid.sizes = 2; }), "plan.singular");
}

}  // namespace
}  // namespace assay
