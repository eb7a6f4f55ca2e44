#include "assay/law/drivers/drivers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/core/error.h"

namespace assay {
namespace {

using Points = std::span<const DriverPoint>;
constexpr double kLevel = 0.05;
constexpr int64_t kObjectivesPerDriver = 7;

void check(Points points) {
  if (points.size() < 3)
    throw Error("law.drivers",
                fmt::format("{} objective{}: too few to tell a line from chance", points.size(),
                            points.size() == 1 ? "" : "s"),
                fmt::format("measure at least 3, and {} for a conclusion", kFewestObjectives));
  const auto drivers = static_cast<int64_t>(points.front().drivers.size());
  const auto count = static_cast<int64_t>(points.size());
  if (drivers > 1 && count < kObjectivesPerDriver * drivers)
    throw Error("law.drivers",
                fmt::format("{} drivers of {} objectives: at most one for every {} objectives, or "
                            "chance fits them",
                            drivers, count, kObjectivesPerDriver),
                fmt::format("choose one driver before looking, or measure {} more objective{}",
                            kObjectivesPerDriver * drivers - count,
                            kObjectivesPerDriver * drivers - count == 1 ? "" : "s"));
  for (const DriverPoint& point : points) {
    const bool below = point.outcome_error < 0 ||
                       std::ranges::any_of(point.driver_errors, [](double e) { return e < 0; });
    if (below)
      throw Error("data.sign", "a standard error below zero at " + point.objective,
                  "give standard errors of zero or more");
  }
}

std::vector<double> outcomes(Points points) {
  std::vector<double> out;
  for (const DriverPoint& point : points) out.push_back(point.outcome);
  return out;
}

std::vector<std::vector<double>> driver_columns(Points points) {
  std::vector<std::vector<double>> out(points.front().drivers.size());
  for (const DriverPoint& point : points)
    for (std::size_t j = 0; j < out.size(); ++j) out[j].push_back(point.drivers[j]);
  return out;
}

double mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double reliability(std::span<const double> values, double mean_square_error) {
  const double centre = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - centre) * (value - centre);
  const double variance = squares / static_cast<double>(values.size() - 1);
  return std::max(0.0, 1 - mean_square_error / variance);
}

void reliabilities(Points points, DriverAnalysis& out) {
  const auto columns = driver_columns(points);
  const auto n = static_cast<double>(points.size());
  std::vector<double> errors(columns.size());
  double outcome_error = 0;
  for (const DriverPoint& point : points) {
    outcome_error += point.outcome_error * point.outcome_error / n;
    for (std::size_t j = 0; j < errors.size(); ++j)
      errors[j] += point.driver_errors[j] * point.driver_errors[j] / n;
  }
  out.outcome_reliability = reliability(outcomes(points), outcome_error);
  for (std::size_t j = 0; j < errors.size(); ++j)
    out.driver_reliability.push_back(reliability(columns[j], errors[j]));
}

// An objective without which the others give no line (a driver constant but for it) is predicted
// by their mean.
LeftOutObjective leave_out(Points points, std::size_t k) {
  std::vector<DriverPoint> others(points.begin(), points.end());
  others.erase(others.begin() + static_cast<std::ptrdiff_t>(k));
  LeftOutObjective out;
  out.predicted = out.mean = mean(outcomes(others));
  try {
    out.predicted =
        predict_outcome(errors_in_variables(others), points[k].drivers, points[k].driver_errors);
  } catch (const Error& error) {
    if (error.code() != "data.constant") throw;
  }
  return out;
}

void leave_each_out(Points points, DriverAnalysis& out) {
  double squares = 0, mean_squares = 0;
  for (std::size_t k = 0; k < points.size(); ++k) {
    out.left_out.push_back(leave_out(points, k));
    squares += std::pow(out.left_out.back().predicted - points[k].outcome, 2);
    mean_squares += std::pow(out.left_out.back().mean - points[k].outcome, 2);
  }
  const auto n = static_cast<double>(points.size());
  out.error = std::sqrt(squares / n);
  out.mean_error = std::sqrt(mean_squares / n);
}

void tell_power(Points points, DriverAnalysis& out) {
  const auto extra = static_cast<int64_t>(points.front().drivers.size()) - 1;
  const double count = static_cast<double>(points.size()) - static_cast<double>(extra);
  const double seen =
      std::sqrt(out.outcome_reliability * *std::ranges::min_element(out.driver_reliability));
  for (const double r : {0.9, 0.8, 0.7, 0.6, 0.5}) {
    const int64_t needed = pairs_needed(seen * r);
    out.power.push_back({r, correlation_power(seen * r, count), needed ? needed + extra : 0});
  }
  const double least = least_correlation(count);
  out.least_correlation = least < seen ? least / seen : 1;
}

std::string least_text(const DriverAnalysis& analysis) {
  return analysis.least_correlation < 1
             ? fmt::format("only for |r| ≥ {:.2f}", analysis.least_correlation)
             : std::string("for no correlation");
}

std::string needed_text(const DriverAnalysis& analysis) {
  const int64_t needed = analysis.power[2].needed;  // of |r| = .7
  return needed ? fmt::format("{} needed for .7", needed)
                : std::string("with these measuring errors no number is enough for .7");
}

void judge(Points points, DriverAnalysis& out) {
  const auto n = static_cast<int64_t>(points.size());
  const bool several = points.front().drivers.size() > 1;
  const std::string power =
      fmt::format("{} objectives have 80% power {}; {}", n, least_text(out), needed_text(out));
  const std::string chance =
      fmt::format("p = {:.2g}, leave-one-out error {:.3g} against {:.3g} of the mean",
                  out.permutation.p_value, out.error, out.mean_error);
  if (n < kFewestObjectives) {
    out.verdict = DriverVerdict::refused;
    out.sentence = "refused: " + power;
  } else if (out.permutation.p_value < kLevel && out.error < out.mean_error) {
    out.verdict = DriverVerdict::predicts;
    out.sentence =
        fmt::format("the driver{} the outcome: {}", several ? "s predict" : " predicts", chance);
  } else if (out.permutation.p_value >= kLevel && n >= kObjectivesForNothing &&
             out.least_correlation <= 0.705) {
    out.verdict = DriverVerdict::not_seen;
    out.sentence = fmt::format("no relation seen: {}; |r| ≥ {:.2f} would have been, with 80% power",
                               chance, out.least_correlation);
  } else {
    out.verdict = DriverVerdict::inconclusive;
    out.sentence = fmt::format("inconclusive: {}; {}", chance, power);
  }
}

void warn(Points points, DriverAnalysis& out) {
  for (std::size_t j = 0; j < out.driver_reliability.size(); ++j)
    if (out.driver_reliability[j] == 0)
      out.warnings.push_back(fmt::format(
          "driver {} differs between objectives by no more than its errors: its slope is arbitrary",
          j + 1));
  if (!out.law.converged) out.warnings.push_back("the regression did not converge");
  if (out.law.scatter_at_zero && out.outcome_reliability < 1)
    out.warnings.push_back(
        "measuring errors explain all scatter about the line; the corrected correlation is an "
        "upper bound");
  if (out.outcome_reliability == 1 &&
      std::ranges::all_of(out.driver_reliability, [](double r) { return r == 1; }))
    out.warnings.push_back(
        "no standard errors are given: slope and correlation are drawn toward zero by whatever "
        "error the columns have");
  if (points.front().drivers.size() > 1)
    out.warnings.push_back("two drivers: choose them before looking at outcomes");
}

nlohmann::json end(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json();
}

}  // namespace

std::string_view verdict_name(DriverVerdict verdict) {
  switch (verdict) {
    case DriverVerdict::refused:
      return "refused";
    case DriverVerdict::inconclusive:
      return "inconclusive";
    case DriverVerdict::predicts:
      return "predicts";
    case DriverVerdict::not_seen:
      return "not_seen";
  }
  return "";
}

DriverAnalysis analyse_drivers(Points points, Seed seed) {
  check(points);
  DriverAnalysis out;
  out.law = errors_in_variables(points);
  for (std::size_t j = 0; j < out.law.slopes.size(); ++j)
    out.slope_limits.push_back(slope_interval(points, j));
  const auto columns = driver_columns(points);
  const auto outcome = outcomes(points);
  out.measured_correlation = columns.size() == 1 ? pearson(columns[0], outcome)
                                                 : std::sqrt(squared_correlation(columns, outcome));
  reliabilities(points, out);
  leave_each_out(points, out);
  out.permutation = permutation_test(columns, outcome, seed);
  tell_power(points, out);
  judge(points, out);
  warn(points, out);
  return out;
}

nlohmann::json to_json(const DriverAnalysis& analysis, Points points) {
  using Json = nlohmann::json;
  Json objectives = Json::array(), intervals = Json::array(), power = Json::array();
  for (std::size_t i = 0; i < points.size(); ++i)
    objectives.push_back({{"name", points[i].objective},
                          {"outcome", points[i].outcome},
                          {"drivers", points[i].drivers},
                          {"predicted", analysis.left_out[i].predicted},
                          {"mean_of_others", analysis.left_out[i].mean}});
  for (const LawLimits& limits : analysis.slope_limits)
    intervals.push_back(Json::array({end(limits.low), end(limits.high)}));
  for (const PowerAt& at : analysis.power)
    power.push_back({{"correlation", at.correlation},
                     {"power", at.power},
                     {"objectives_needed", at.needed ? Json(at.needed) : Json()}});
  return {{"verdict", verdict_name(analysis.verdict)},
          {"sentence", analysis.sentence},
          {"objectives", objectives},
          {"slopes", analysis.law.slopes},
          {"slope_intervals", intervals},
          {"intercept", analysis.law.intercept},
          {"scatter", analysis.law.scatter},
          {"correlation", analysis.law.correlation},
          {"measured_correlation", analysis.measured_correlation},
          {"reliability",
           {{"outcome", analysis.outcome_reliability}, {"drivers", analysis.driver_reliability}}},
          {"leave_one_out", {{"rmse", analysis.error}, {"rmse_of_mean", analysis.mean_error}}},
          {"p_value", analysis.permutation.p_value},
          {"orders", analysis.permutation.orders},
          {"exact", analysis.permutation.exact},
          {"power", power},
          {"least_correlation",
           analysis.least_correlation < 1 ? Json(analysis.least_correlation) : Json()},
          {"warnings", analysis.warnings}};
}

}  // namespace assay
