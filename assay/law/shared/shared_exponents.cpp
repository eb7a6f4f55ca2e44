#include "assay/law/shared/shared_exponents.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/core/error.h"
#include "assay/law/fit/search.h"
#include "assay/law/intervals/profile.h"
#include "assay/law/numeric/uniform_below.h"
#include "assay/law/shared/shared_profile.h"
#include "assay/law/table/file.h"
#include "assay/law/validation/identifiability.h"
#include "assay/stats/interval.h"

namespace assay {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kStarts = 4;
constexpr double kTolerance = 1e-6, kResampleTolerance = 1e-4;  // standard errors
constexpr int64_t kLeastRows = 8;      // ν_g > 2 degrees of freedom: 1/λ has a mean
constexpr double kLeastScale = 1e-14;  // of λ: losses without noise

struct Group {
  std::string name;
  LawProblem problem;
  LawFit own;
  double scale() const { return std::max(likelihood_scale(problem, own), kLeastScale); }
};

Error refusal(const std::string& message, const std::string& help) {
  return Error("law.shared", message, help);
}

std::vector<Group> fitted_groups(std::span<const Observation> observations,
                                 const RobustLoss& loss) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<Observation>> rows;
  std::set<std::string> units;
  for (const Observation& row : observations) {
    if (!rows.contains(row.group)) order.push_back(row.group);
    rows[row.group].push_back(row);
    if (row.status != ObservationStatus::diverged) units.insert(row.loss_unit);
  }
  if (order.size() < 2)
    throw refusal("exponents are shared between groups, and the rows are of one group",
                  "name the column that tells them apart with --group-column");
  if (units.size() > 1)
    throw refusal(fmt::format("losses are in different units ({} and {}): a unit would enter the "
                              "efficiency factors",
                              in_backticks(*units.begin()), in_backticks(*units.rbegin())),
                  "share exponents of losses in one unit, or fit each group alone");
  std::vector<Group> out;
  for (const std::string& name : order) {
    Group group{name, law_problem(rows[name], make_form("chinchilla")), {}};
    group.own = fit_law(group.problem, {.loss = loss});
    const bool few = group.own.rows < kLeastRows;
    if (few || !group.own.usable())
      throw refusal(fmt::format("group {}: {}", in_backticks(name),
                                few ? fmt::format("{} rows, and sharing needs at least {}",
                                                  group.own.rows, kLeastRows)
                                    : group.own.failure),
                    "leave the group out with --where, or add runs of other N and D");
    out.push_back(std::move(group));
  }
  return out;
}

std::vector<LawVector> own_parameters(const std::vector<Group>& groups) {
  std::vector<LawVector> out;
  for (const Group& group : groups) out.push_back(group.own.centred);
  return out;
}

std::vector<ProfileGroup> profile_groups(const std::vector<Group>& groups) {
  std::vector<ProfileGroup> out;
  for (const Group& group : groups)
    out.push_back({LawObjective(*group.problem.form, group.problem.rows, group.own.scale.delta),
                   group.scale()});
  return out;
}

// The groups' common exponents need one group whose design tells them.
void require_a_design(const std::vector<Group>& groups) {
  std::string faults;
  for (const Group& group : groups) {
    const Identifiability design = design_faults(group.problem);
    if (design.identifiable) return;
    faults += fmt::format("{}{}: {}", faults.empty() ? "" : "; ", in_backticks(group.name),
                          design.reasons.front());
  }
  throw refusal("no group's design tells exponents apart, so none can be shared: " + faults,
                "runs of one group at 4 or more values of N and of D, crossed, over at least 1.5 "
                "decades of each");
}

// The best of the grid's starts and of the mean of the groups' own exponents.
ProfilePoint best_point(const std::vector<Group>& groups, SharedExponents& out) {
  std::vector<ProfileGroup> profile = profile_groups(groups);
  std::vector<ProfilePoint> starts = profile_starts(profile, kStarts), found;
  ProfilePoint mean;
  mean.parameters = own_parameters(groups);
  for (const LawVector& own : mean.parameters)
    mean.exponents += own.tail<2>() / static_cast<double>(groups.size());
  starts.push_back(mean);
  for (const ProfilePoint& start : starts)
    found.push_back(minimise_profile(profile, start.exponents, start.parameters, kTolerance));
  const auto best = std::ranges::min_element(found, {}, &ProfilePoint::value);
  out.starts = static_cast<int>(found.size());
  out.agreeing = static_cast<int>(std::ranges::count_if(
      found, [&](const ProfilePoint& point) { return same_minimum(point.value, best->value); }));
  return *best;
}

// alpha, beta, then E, A, B of every group, in table units.
std::vector<double> flat(const std::vector<Group>& groups, const ProfilePoint& point) {
  std::vector<double> out = {point.exponents[0], point.exponents[1]};
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto at = table_parameters(groups[g].problem, point.parameters[g]);
    out.insert(out.end(), at.begin(), at.begin() + 3);
  }
  return out;
}

// False where a group keeps too few different rows.
bool resample(const std::vector<Group>& groups, std::mt19937_64& engine,
              std::vector<ProfileGroup>& profile) {
  bool enough = true;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const FitRows& rows = groups[g].problem.rows;
    std::vector<double> times(static_cast<std::size_t>(rows.clusters)), weight(rows.count);
    for (int64_t k = 0; k < rows.clusters; ++k)
      ++times[static_cast<std::size_t>(uniform_below(engine, rows.clusters))];
    std::size_t different = 0;
    for (std::size_t i = 0; i < rows.count; ++i) {
      weight[i] = times[static_cast<std::size_t>(rows.cluster[i])];
      different += weight[i] > 0;
    }
    enough &= different > 3;
    if (enough) profile[g].objective.resample(rows, weight);
  }
  return enough;
}

LawBootstrap resamples(const std::vector<Group>& groups, const ProfilePoint& best,
                       const SharedOptions& options) {
  LawBootstrap out;
  out.parameters = 2 + 3 * groups.size();
  out.seed = options.seed;
  std::mt19937_64 engine(options.seed.child("shared").value());
  std::vector<ProfileGroup> profile = profile_groups(groups);
  for (int k = 0; k < options.resamples; ++k) {
    if (!resample(groups, engine, profile)) {
      ++out.failed;
      continue;
    }
    const ProfilePoint point =
        minimise_profile(profile, best.exponents, best.parameters, kResampleTolerance);
    if (!point.converged) {
      ++out.failed;
      continue;
    }
    const std::vector<double> draw = flat(groups, point);
    out.draws.insert(out.draws.end(), draw.begin(), draw.end());
    ++out.kept;
  }
  return out;
}

// e = (reference/own)^(1/exponent).
double efficiency(std::span<const double> at, std::size_t group, std::size_t coefficient) {
  const double reference = at[2 + coefficient], own = at[2 + 3 * group + coefficient];
  if (!(reference > 0 && own > 0)) return std::numeric_limits<double>::quiet_NaN();
  return std::exp(std::log(reference / own) / at[coefficient - 1]);
}

// √(n/(n − p)).
double widening(const std::vector<Group>& groups) {
  double rows = 0;
  for (const Group& group : groups) rows += static_cast<double>(group.own.rows);
  return std::sqrt(rows / (rows - 2 - 3 * static_cast<double>(groups.size())));
}

LawLimits widened(const LawLimits& limits, double value, double factor) {
  return {value + factor * (limits.low - value), value + factor * (limits.high - value)};
}

LawLimits exponent_limits(const std::vector<Group>& groups, const LawBootstrap& draws,
                          std::size_t exponent, double value) {
  const LawParameter& of = groups.front().problem.form->parameters()[3 + exponent];
  const LawLimits wide = widened(draws.interval(exponent), value, widening(groups));
  return {std::max(wide.low, of.low), std::min(wide.high, of.high)};
}

LawLimits efficiency_limits(const std::vector<double>& at, const LawBootstrap& draws,
                            std::size_t group, std::size_t coefficient, double factor) {
  if (group == 0) return {1, 1};
  const LawLimits found = draws.interval_of(
      [&](std::span<const double> draw) { return std::log(efficiency(draw, group, coefficient)); });
  const LawLimits wide = widened(found, std::log(efficiency(at, group, coefficient)), factor);
  return {std::exp(wide.low), std::exp(wide.high)};
}

SharedGroup described(const std::vector<Group>& groups, std::size_t g,
                      const std::vector<double>& at, const LawBootstrap& draws) {
  const Group& group = groups[g];
  SharedGroup out;
  out.group = group.name;
  out.rows = group.own.rows;
  out.clusters = group.own.clusters;
  out.own_exponents = {group.own.parameters[3], group.own.parameters[4]};
  for (std::size_t k = 0; k < 3; ++k) {
    out.coefficients[k] = at[2 + 3 * g + k];
    out.intervals[k] = draws.interval(2 + 3 * g + k);
    if (!(out.coefficients[k] > 0))
      out.at_bound.push_back(group.problem.form->parameters()[k].name);
  }
  out.model_efficiency = efficiency(at, g, 1);
  out.data_efficiency = efficiency(at, g, 2);
  const double factor = widening(groups);
  out.model_interval = efficiency_limits(at, draws, g, 1, factor);
  out.data_interval = efficiency_limits(at, draws, g, 2, factor);
  return out;
}

void test_hypothesis(const std::vector<Group>& groups, const ProfilePoint& best,
                     SharedExponents& out) {
  double rise = 0;
  bool clustered = false;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const LawFit& own = groups[g].own;
    const double degrees = static_cast<double>(own.rows) - 5;
    rise +=
        2 * (best.group_values[g] - own.objective / groups[g].scale()) * (degrees - 2) / degrees;
    out.residual_degrees += degrees;
    clustered |= own.clusters < own.rows;
  }
  out.degrees = 2 * (static_cast<double>(groups.size()) - 1);
  out.statistic = std::max(rise, 0.0) / out.degrees;
  out.p_value = fisher_tail(out.statistic, out.degrees, out.residual_degrees);
  if (clustered)
    out.warnings.push_back(
        "some runs have several rows, which the test of shared exponents takes as independent: "
        "its p-value is too small");
}

Json limits_json(const LawLimits& limits) {
  if (!std::isfinite(limits.low) || !std::isfinite(limits.high)) return nullptr;
  return {limits.low, limits.high};
}

Json number_json(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json group_json(const SharedGroup& group) {
  const auto& [e, a, b] = group.coefficients;
  return {{"group", group.group},
          {"n", group.rows},
          {"runs", group.clusters},
          {"parameters", {{"E", e}, {"A", a}, {"B", b}}},
          {"intervals",
           {{"E", limits_json(group.intervals[0])},
            {"A", limits_json(group.intervals[1])},
            {"B", limits_json(group.intervals[2])}}},
          {"efficiency",
           {{"N", number_json(group.model_efficiency)},
            {"N_interval", limits_json(group.model_interval)},
            {"D", number_json(group.data_efficiency)},
            {"D_interval", limits_json(group.data_interval)}}},
          {"own_exponents", {{"alpha", group.own_exponents[0]}, {"beta", group.own_exponents[1]}}},
          {"at_bound", group.at_bound}};
}

}  // namespace

SharedExponents share_exponents(std::span<const Observation> observations,
                                const SharedOptions& options) {
  const std::vector<Group> groups = fitted_groups(observations, options.loss);
  SharedExponents out;
  require_a_design(groups);
  const ProfilePoint best = best_point(groups, out);
  const std::vector<double> at = flat(groups, best);
  out.alpha = at[0];
  out.beta = at[1];
  out.objective = best.value;
  out.converged = best.converged;
  if (!out.converged) out.warnings.push_back("the shared exponents have not converged");
  const LawBootstrap draws = resamples(groups, best, options);
  out.kept = draws.kept;
  out.failed = draws.failed;
  out.alpha_interval = exponent_limits(groups, draws, 0, out.alpha);
  out.beta_interval = exponent_limits(groups, draws, 1, out.beta);
  for (std::size_t g = 0; g < groups.size(); ++g)
    out.groups.push_back(described(groups, g, at, draws));
  test_hypothesis(groups, best, out);
  return out;
}

nlohmann::json to_json(const SharedExponents& shared) {
  Json groups = Json::array();
  for (const SharedGroup& group : shared.groups) groups.push_back(group_json(group));
  return {{"alpha", shared.alpha},
          {"beta", shared.beta},
          {"intervals",
           {{"alpha", limits_json(shared.alpha_interval)},
            {"beta", limits_json(shared.beta_interval)}}},
          {"objective", shared.objective},
          {"converged", shared.converged},
          {"starts", shared.starts},
          {"agreeing", shared.agreeing},
          {"bootstrap", {{"kept", shared.kept}, {"failed", shared.failed}}},
          {"test",
           {{"statistic", shared.statistic},
            {"degrees", shared.degrees},
            {"residual_degrees", shared.residual_degrees},
            {"p_value", shared.p_value}}},
          {"reference", shared.groups.front().group},
          {"groups", groups},
          {"warnings", shared.warnings}};
}

}  // namespace assay
