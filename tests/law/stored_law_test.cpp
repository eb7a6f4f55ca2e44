// A law read back from its file predicts as the fit did; points beyond what it knows are refused.
#include "assay/law/fitted/stored_law.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "assay/core/error.h"
#include "assay/law/fitted/law_prediction.h"
#include "law/laws.h"
#include "store/temporary_folder.h"

namespace assay {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::vector<StoredLaw> read_text(const std::string& text) {
  const TemporaryFolder folder;
  std::ofstream(folder.path / "law.json", std::ios::binary) << text;
  return read_law_file(folder.path / "law.json");
}

FittedLaw fitted(const std::vector<Observation>& rows, const std::string& form = "chinchilla",
                 int resamples = 300) {
  LawRequest request;
  request.form = form;
  request.intervals.resamples = resamples;
  return fit_group(rows, request);
}

StoredLaw through_file(const FittedLaw& law) {
  const std::string text = law_file({{"format", kLawFormat}}, {stored_law(law, "nats")});
  return read_text(text).front();
}

std::string code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return "no error";
}

std::string refusal(const StoredLaw& law, const std::string& point) {
  return code_of([&] { predict_at(law, parse_point(point)); });
}

void expect_near(const LawLimits& found, const LawLimits& expected) {
  EXPECT_NEAR(found.low / expected.low, 1, 1e-6);
  EXPECT_NEAR(found.high / expected.high, 1, 1e-6);
}

// Draws are rounded to nine digits: A N^-alpha moves by at most 1e-9 (1 + alpha log N).
TEST(StoredLaw, PredictsAsTheFitDid) {
  const auto rows = square(5, 2, 0.005, 61);
  for (const char* form : {"chinchilla", "tied", "outer", "repetition_tied", "floor_power"}) {
    const FittedLaw law = fitted(rows, form);
    ASSERT_TRUE(law.fit.usable()) << form << law.fit.failure;
    StoredLaw stored = through_file(law);
    EXPECT_EQ(stored.rows, 25);
    EXPECT_EQ(stored.loss_unit, "nats");
    EXPECT_EQ(stored.form->axes(), law.problem.form->axes());
    EXPECT_EQ(stored.parameters, law.fit.parameters) << form;
    stored.identifiable = true;  // some of these forms ask for more than 25 rows tell
    const LawAxis axes[] = {LawAxis::model_size, LawAxis::data_size, LawAxis::unique_data};
    Observation point;
    for (const LawAxis axis : stored.form->axes())
      (axis == axes[0]   ? point.model_size
       : axis == axes[1] ? point.data_size
                         : point.unique_data) = 3e9;
    const LawPrediction direct = predict_interval(law.problem, law.fit, *law.resamples, point);
    const PointPrediction found = predict_at(stored, point);
    EXPECT_DOUBLE_EQ(found.prediction.value, direct.value);
    expect_near(found.prediction.law, direct.law);
    expect_near(found.prediction.run, direct.run);
    EXPECT_LT(direct.run.low, direct.law.low);
  }
}

TEST(StoredLaw, OfComputeAloneGivesTheLeastLossOnTheBudget) {
  const StoredLaw law = through_file(fitted(square(5, 2, 0.002, 62)));
  const PointPrediction found = predict_at(law, parse_point("C=6e19"));
  ASSERT_TRUE(found.optimal);
  double best = 1e9, size = 0;
  for (double n = 1e8; n < 1e11; n *= 1.001) {
    const double d = 1e19 / n;
    const auto& p = law.parameters;
    const double loss = p[0] + p[1] * std::pow(n, -p[3]) + p[2] * std::pow(d, -p[4]);
    if (loss < best) best = loss, size = n;
  }
  EXPECT_NEAR(found.prediction.value / best, 1, 1e-6);
  EXPECT_NEAR(found.optimal->value.model_size / size, 1, 0.01);
  EXPECT_NEAR(found.optimal->value.data_size * found.optimal->value.model_size, 1e19, 1e10);
  EXPECT_LT(found.optimal->model_size.low, size);
  EXPECT_GT(found.optimal->model_size.high, size);
  EXPECT_LT(found.prediction.law.low, best);
  // N and C give D.
  const PointPrediction beside = predict_at(law, parse_point("N=1e9,C=6e19"));
  EXPECT_DOUBLE_EQ(beside.point.data_size, 1e10);
}

TEST(StoredLaw, KeepsNoMoreThanItNeeds) {
  FittedLaw law = fitted(square(5, 2, 0.005, 63), "chinchilla", 10100);
  law.fit.residuals.clear();
  law.problem.rows.highest.clear();
  Normals normal(64);
  for (std::size_t i = 0; i < 3 * kMostStoredNoise; ++i) {
    law.fit.residuals.push_back(0.01 * normal());
    law.problem.rows.highest.push_back(std::numeric_limits<double>::infinity());
  }
  const StoredLaw stored = stored_law(law, "");
  EXPECT_EQ(stored.draws.kept, kMostStoredDraws);
  EXPECT_EQ(stored.draws.draws.size(), 5u * kMostStoredDraws);
  ASSERT_THAT(stored.noise, SizeIs(kMostStoredNoise));
  EXPECT_NEAR(sorted_quantile(stored.noise, 0.975), 0.0196, 0.0196 * 0.06);
}

// 12 of 25 losses are upper bounds: their residuals, cut at zero, would narrow the interval.
TEST(StoredLaw, UpperBoundsSayNothingOfTheNoise) {
  auto rows = square(5, 2, 0.005, 65);
  for (std::size_t i = 0; i < 24; i += 2) {
    rows[i].status = ObservationStatus::upper_bound;
    rows[i].loss *= 1.3;
  }
  const LawProblem problem = law_problem(rows, make_form("chinchilla"));
  const LawFit fit = fit_law(problem);
  const std::vector<double> noise = run_noise(problem, fit);
  ASSERT_THAT(noise, SizeIs(13));
  double squares = 0;
  for (const double value : noise) squares += value * value / 13;
  // χ² with 8 degrees: σ̂ within a factor of 4 of σ at 1e-6.
  EXPECT_GT(std::sqrt(squares), 0.005 / 4);
  EXPECT_LT(std::sqrt(squares), 0.005 * 4);
  EXPECT_DOUBLE_EQ(noise.front() / fit.residuals[1], std::sqrt(13.0 / 8));
}

TEST(FittedRegion, IsTheConvexHullOnLogAxes) {
  const auto hull = convex_hull({{0, 0}, {1, 0}, {2, 0}, {2, 2}, {0, 2}, {1, 1}, {0, 1}, {0, 0}});
  EXPECT_THAT(hull, SizeIs(4));
  EXPECT_EQ(distance_to_hull(hull, {1, 1}), 0);
  EXPECT_EQ(distance_to_hull(hull, {2, 2}), 0);
  EXPECT_DOUBLE_EQ(distance_to_hull(hull, {1, 3.5}), 1.5);
  EXPECT_DOUBLE_EQ(distance_to_hull(hull, {3, 3}), std::sqrt(2.0));
  const auto line = convex_hull({{0, 1}, {1, 2}, {2, 3}});
  EXPECT_NEAR(distance_to_hull(line, {2, 1}), std::sqrt(2.0), 1e-12);
  EXPECT_NEAR(distance_to_hull(line, {0.5, 1.5}), 0, 1e-12);
  EXPECT_EQ(distance_to_hull(convex_hull({{1, 1}, {1, 1}}), {1, 3}), 2);
  EXPECT_DOUBLE_EQ(decades_beyond({1e6, 1e8}, 1e9), 1);
  EXPECT_DOUBLE_EQ(decades_beyond({1e6, 1e8}, 1e4), -2);
  EXPECT_EQ(decades_beyond({1e6, 1e8}, 1e7), 0);
}

// square(5, 2): N from 1e7 to 1e9, D from 1e9 to 1e11.
TEST(StoredLaw, SaysHowFarAPointLiesBeyondTheRuns) {
  const StoredLaw law = through_file(fitted(square(5, 2, 0.005, 66)));
  const PointPrediction within = predict_at(law, parse_point("N=1e8,D=1e10"));
  EXPECT_EQ(within.decades_beyond, 0);
  EXPECT_TRUE(within.warnings.empty());
  const PointPrediction near = predict_at(law, parse_point("N=9e9,D=1e10"));
  EXPECT_NEAR(near.decades_beyond, std::log10(9), 1e-9);
  EXPECT_TRUE(near.warnings.empty());
  const PointPrediction far = predict_at(law, parse_point("N=1e5,D=1e10"));
  EXPECT_NEAR(far.decades_beyond, 2, 1e-9);
  EXPECT_NEAR(far.by_column.front().second, -2, 1e-9);
  ASSERT_THAT(far.warnings, SizeIs(1));
  EXPECT_THAT(far.warnings.front(), HasSubstr("2.0 decades beyond"));
}

TEST(StoredLaw, WhatIsNotIdentifiedPredictsBetweenItsRunsAlone) {
  std::vector<Observation> line;
  for (const Observation& row : square(20, 3, 0.002, 42))
    if (std::fabs(row.data_size / (100 * row.model_size) - 1) < 1e-6) line.push_back(row);
  const StoredLaw law = through_file(fitted(line));
  ASSERT_FALSE(law.identifiable);
  const PointPrediction within = predict_at(law, parse_point("N=1e8,D=1e10"));
  const double truth = predict(*law.form, kChinchillaLike, within.point);
  EXPECT_LT(within.prediction.run.low, truth);
  EXPECT_GT(within.prediction.run.high, truth);
  EXPECT_THAT(within.warnings.front(), HasSubstr("does not identify"));
  // Inside the box of N and D, but not near a run.
  EXPECT_EQ(refusal(law, "N=1e7,D=1e11"), "law.not_identifiable");
  EXPECT_EQ(refusal(law, "N=1e10,D=1e12"), "law.not_identifiable");
  EXPECT_EQ(refusal(law, "C=6e18"), "law.not_identifiable");
}

TEST(StoredLaw, RefusesPointsThatItCannotEvaluate) {
  const StoredLaw law = through_file(fitted(square(5, 2, 0.005, 67)));
  const auto spelling = [](const char* text) { return code_of([&] { parse_point(text); }); };
  for (const char* text : {"", "N", "N=1e8,", "N=1e8,N=2e8"})
    EXPECT_EQ(spelling(text), "usage.point") << text;
  for (const char* text : {"N=0,D=1", "N=-1,D=1", "N=x,D=1", "N=1e8 x,D=1", "N=inf,D=1", "N=,D=1"})
    EXPECT_EQ(spelling(text), "usage.number") << text;
  EXPECT_EQ(spelling("M=1e8,D=1"), "usage.axis");
  EXPECT_EQ(refusal(law, "N=1e8"), "usage.missing_axis");
  EXPECT_EQ(refusal(law, "D=1e8"), "usage.missing_axis");
  EXPECT_EQ(refusal(law, "N=1e8,D=1e9,U=1e8"), "usage.axis");
  EXPECT_EQ(refusal(law, "N=1e8,D=1e9,C=6e17"), "usage.axis");
  StoredLaw flat = law;
  flat.parameters[1] = 0;
  EXPECT_EQ(refusal(flat, "C=6e18"), "law.allocation");
  const StoredLaw one = through_file(fitted(square(5, 2, 0.005, 67), "floor_power"));
  EXPECT_EQ(refusal(one, "C=6e18"), "usage.axis");
}

TEST(StoredLaw, RefusesFilesThatHoldNoLaw) {
  const auto reading = [](const std::string& text) { return code_of([&] { read_text(text); }); };
  EXPECT_EQ(code_of([] { read_law_file("/nonexistent/law.json"); }), "data.missing_file");
  EXPECT_EQ(reading("N,D,loss\n1,2,3\n"), "data.not_a_law");
  EXPECT_EQ(reading("[1, 2]"), "data.not_a_law");
  EXPECT_EQ(reading("{\"trials\": 3}"), "data.not_a_law");
  EXPECT_EQ(reading("{\"format\": 1, \"form\": \"chinchilla\"}"), "data.not_a_law");
  EXPECT_EQ(reading("{\"format\": 1, \"prediction\": [{\"form\": \"tied\"}]}"), "data.not_a_law");
  EXPECT_EQ(reading("{\"format\": 2, \"prediction\": []}"), "data.law_format");
  const StoredLaw law = stored_law(fitted(square(5, 2, 0.005, 68)), "");
  std::string short_of = law_file({{"format", 1}}, {law});
  short_of.replace(short_of.find("\"parameters\":["), 14, "\"parameters\":[1,");
  EXPECT_EQ(reading(short_of), "data.not_a_law");
}

TEST(StoredLaw, NamesTheGroupsThatThereAre) {
  StoredLaw first = stored_law(fitted(square(5, 2, 0.005, 69)), ""), second = first;
  first.group = "mae";
  second.group = "jepa";
  EXPECT_EQ(law_of_group({first}, "").group, "mae");
  EXPECT_EQ(law_of_group({first, second}, "jepa").group, "jepa");
  EXPECT_EQ(code_of([&] { law_of_group({first, second}, ""); }), "usage.group");
  EXPECT_EQ(code_of([&] { law_of_group({first, second}, "japa"); }), "usage.group");
  const StoredLaw failed = through_file(fitted(square(2, 2, 0.005, 69)));
  EXPECT_THAT(failed.failure, HasSubstr("needs at least"));
  EXPECT_EQ(code_of([&] { law_of_group({failed}, ""); }), "law.unusable");
}

}  // namespace
}  // namespace assay
