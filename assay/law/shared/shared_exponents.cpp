#include "assay/law/shared/shared_exponents.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "assay/law/fit/search.h"
#include "assay/law/intervals/profile.h"
#include "assay/law/numeric/uniform_below.h"
#include "assay/law/shared/shared_groups.h"
#include "assay/law/shared/shared_profile.h"
#include "assay/stats/interval.h"

namespace assay {
namespace {

constexpr std::size_t kStarts = 4;
constexpr double kTolerance = 1e-6, kResampleTolerance = 1e-4;  // standard errors

std::vector<LawVector> own_parameters(const std::vector<FittedGroup>& groups) {
  std::vector<LawVector> out;
  for (const FittedGroup& group : groups) out.push_back(group.own.centred);
  return out;
}

std::vector<ProfileGroup> profile_groups(const std::vector<FittedGroup>& groups) {
  std::vector<ProfileGroup> out;
  for (const FittedGroup& group : groups)
    out.push_back({LawObjective(*group.problem.form, group.problem.rows, group.own.scale.delta),
                   group.scale()});
  return out;
}

// The best of the grid's starts and of the mean of the groups' own exponents.
ProfilePoint best_point(const std::vector<FittedGroup>& groups, SharedExponents& out) {
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
std::vector<double> flat(const std::vector<FittedGroup>& groups, const ProfilePoint& point) {
  std::vector<double> out = {point.exponents[0], point.exponents[1]};
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto at = table_parameters(groups[g].problem, point.parameters[g]);
    out.insert(out.end(), at.begin(), at.begin() + 3);
  }
  return out;
}

// False where a group keeps too few different rows.
bool resample(const std::vector<FittedGroup>& groups, std::mt19937_64& engine,
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

LawBootstrap resamples(const std::vector<FittedGroup>& groups, const ProfilePoint& best,
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

// Of one group, in the order of "chinchilla".
LawBootstrap draws_of(const LawBootstrap& draws, std::size_t group) {
  LawBootstrap out = draws;
  out.parameters = 5;
  out.draws.clear();
  for (int k = 0; k < draws.kept; ++k) {
    const auto at = draws.draw(k);
    const auto own = at.subspan(2 + 3 * group, 3);
    out.draws.insert(out.draws.end(), own.begin(), own.end());
    out.draws.insert(out.draws.end(), at.begin(), at.begin() + 2);
  }
  return out;
}

// run_noise under the shared law, which takes 3 + 2/G parameters of each group's rows.
std::vector<double> noise_of(const FittedGroup& group, const LawVector& centred,
                             std::size_t groups) {
  LawObjective objective(*group.problem.form, group.problem.rows, group.own.scale.delta);
  LawVector gradient(centred.size());
  objective.value_and_gradient(centred, gradient);
  std::vector<double> out;
  for (std::size_t i = 0; i < group.problem.rows.count; ++i)
    if (!group.problem.rows.is_bound(i)) out.push_back(objective.residuals()[i]);
  const auto n = static_cast<double>(out.size());
  const double taken = 3 + 2 / static_cast<double>(groups);
  for (double& residual : out) residual *= std::sqrt(n / (n - taken));
  return out;
}

// e = (reference/own)^(1/exponent).
double efficiency(std::span<const double> at, std::size_t group, std::size_t coefficient) {
  const double reference = at[2 + coefficient], own = at[2 + 3 * group + coefficient];
  if (!(reference > 0 && own > 0)) return std::numeric_limits<double>::quiet_NaN();
  return std::exp(std::log(reference / own) / at[coefficient - 1]);
}

// √(n/(n − p)).
double widening(const std::vector<FittedGroup>& groups) {
  double rows = 0;
  for (const FittedGroup& group : groups) rows += static_cast<double>(group.own.measured());
  return std::sqrt(rows / (rows - 2 - 3 * static_cast<double>(groups.size())));
}

LawLimits widened(const LawLimits& limits, double value, double factor) {
  return {value + factor * (limits.low - value), value + factor * (limits.high - value)};
}

LawLimits exponent_limits(const std::vector<FittedGroup>& groups, const LawBootstrap& draws,
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

SharedGroup described(const std::vector<FittedGroup>& groups, std::size_t g,
                      const ProfilePoint& best, const std::vector<double>& at,
                      const LawBootstrap& draws) {
  const FittedGroup& group = groups[g];
  SharedGroup out;
  out.group = group.name;
  out.rows = group.own.rows;
  out.clusters = group.own.clusters;
  out.own_exponents = {group.own.parameters[3], group.own.parameters[4]};
  out.flops_per = group.flops_per;
  out.draws = draws_of(draws, g);
  out.noise = noise_of(group, best.parameters[g], groups.size());
  out.region = fitted_region(group.problem.rows, *group.problem.form);
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

// Why these rows do not tell the exponents; empty = they do.
std::vector<std::string> why_not_identified(const std::vector<FittedGroup>& groups,
                                            const SharedExponents& shared) {
  std::vector<std::string> out;
  if (!shared.converged) out.push_back("the fit has not converged");
  const auto judge = [&](std::size_t parameter, double value, const LawLimits& limits) {
    const LawParameter& of = groups.front().problem.form->parameters()[parameter];
    if (value <= of.low || value >= of.high)
      out.push_back(fmt::format("{} lies at {:.3g}, the end of the range in which it is sought",
                                of.name, value));
    else if (limits.low <= of.low || limits.high >= of.high)
      out.push_back(
          fmt::format("{} is not determined: its interval, {:.3g} to {:.3g}, reaches the "
                      "end of the range in which it is sought",
                      of.name, limits.low, limits.high));
  };
  judge(3, shared.alpha, shared.alpha_interval);
  judge(4, shared.beta, shared.beta_interval);
  return out;
}

void test_hypothesis(const std::vector<FittedGroup>& groups, const ProfilePoint& best,
                     SharedExponents& out) {
  double rise = 0;
  bool clustered = false;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const LawFit& own = groups[g].own;
    const double degrees = static_cast<double>(own.measured()) - 5;
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

}  // namespace

SharedExponents share_exponents(std::span<const Observation> observations,
                                const SharedOptions& options) {
  const std::vector<FittedGroup> groups = fitted_groups(observations, options.loss);
  SharedExponents out;
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
    out.groups.push_back(described(groups, g, best, at, draws));
  test_hypothesis(groups, best, out);
  out.reasons = why_not_identified(groups, out);
  return out;
}

}  // namespace assay
