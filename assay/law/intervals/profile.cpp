#include "assay/law/intervals/profile.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "assay/core/error.h"
#include "assay/law/fit/search.h"
#include "assay/stats/interval.h"

namespace assay {
namespace {

class Profile {
 public:
  Profile(const LawProblem& problem, const LawFit& fit, std::size_t held, double coverage);
  ProfileInterval run();
  // Rise of the objective above its minimum, in units of what is allowed, less one.
  double excess(double value);

 private:
  double crossing(double step, double bound, bool& open);
  double in_table_units(double value) const;

  const LawProblem& problem_;
  const LawFit& fit_;
  std::size_t held_;
  LawObjective objective_;
  double allowed_ = 0, step_ = 0;
  LawVector from_;  // the last point found, from which the next one is sought
  bool lower_minimum_ = false;
};

Profile::Profile(const LawProblem& problem, const LawFit& fit, std::size_t held, double coverage)
    : problem_(problem),
      fit_(fit),
      held_(held),
      objective_(*problem.form, problem.rows, fit.scale.delta),
      from_(fit.centred) {
  LawVector gradient(fit.centred.size());
  objective_.value_and_gradient(fit.centred, gradient);
  const double lambda = likelihood_scale(problem, fit);
  const double t =
      student_quantile(0.5 + 0.5 * coverage, static_cast<double>(fit.measured()) -
                                                 static_cast<double>(problem.form->size()));
  allowed_ = 0.5 * lambda * t * t;
  const auto j = static_cast<Eigen::Index>(held);
  const double information = objective_.information()(j, j);
  step_ = information > 0 ? std::sqrt(lambda / information) : 0.01;
}

double Profile::excess(double value) {
  LawVector start = from_;
  start[static_cast<Eigen::Index>(held_)] = value;
  const Polished found =
      polish_along_valleys(objective_, start, {.tolerance = 1e-4, .held = 1u << held_});
  from_ = found.parameters;
  if (found.objective < fit_.objective * (1 - 1e-9) - 1e-24) lower_minimum_ = true;
  return (found.objective - fit_.objective) / allowed_ - 1;
}

// Outwards in growing steps, then between the last two by halving and by the secant in turn.
double Profile::crossing(double step, double bound, bool& open) {
  const double start = fit_.centred[static_cast<Eigen::Index>(held_)];
  const auto beyond = [&](double value) { return step < 0 ? value <= bound : value >= bound; };
  from_ = fit_.centred;
  double inside = start, outside = start, inside_excess = -1, outside_excess = -1;
  while (outside_excess < 0) {
    if (beyond(outside)) {
      open = true;
      return bound;
    }
    inside = outside;
    inside_excess = outside_excess;
    outside += step;
    step *= 2;
    if (beyond(outside)) outside = bound;
    outside_excess = excess(outside);
  }
  for (int i = 0; i < 60 && std::fabs(outside - inside) > 1e-5 * std::fabs(outside - start); ++i) {
    const double part =
        i % 2 ? 0.5 : std::clamp(inside_excess / (inside_excess - outside_excess), 0.02, 0.98);
    const double middle = inside + part * (outside - inside);
    const double found = excess(middle);
    (found < 0 ? inside : outside) = middle;
    (found < 0 ? inside_excess : outside_excess) = found;
  }
  return 0.5 * (inside + outside);
}

double Profile::in_table_units(double value) const {
  LawVector at = fit_.centred;
  at[static_cast<Eigen::Index>(held_)] = value;
  return table_parameters(problem_, at)[held_];
}

ProfileInterval Profile::run() {
  const LawParameter& parameter = problem_.form->parameters()[held_];
  ProfileInterval out;
  const double low = crossing(-step_, parameter.low, out.low_open);
  const double high = crossing(step_, parameter.high, out.high_open);
  out.limits = {in_table_units(low), in_table_units(high)};
  out.lower_minimum = lower_minimum_;
  return out;
}

}  // namespace

double likelihood_scale(const LawProblem& problem, const LawFit& fit) {
  double squares = 0, inside = 0;
  for (const double r : measured_residuals(problem, fit)) {
    const double clipped = std::clamp(r, -fit.scale.delta, fit.scale.delta);
    squares += clipped * clipped;
    inside += std::fabs(r) <= fit.scale.delta;
  }
  const auto n = static_cast<double>(fit.measured());
  return squares / (n - static_cast<double>(fit.parameters.size())) / (std::max(inside, 1.0) / n);
}

LinearErrors linear_errors(const LawProblem& problem, const LawFit& fit) {
  LawObjective objective(*problem.form, problem.rows, fit.scale.delta);
  LawVector gradient(fit.centred.size());
  objective.value_and_gradient(fit.centred, gradient);
  std::vector<Eigen::Index> free;
  for (Eigen::Index j = 0; j < fit.centred.size(); ++j) {
    const LawParameter& parameter = problem.form->parameters()[static_cast<std::size_t>(j)];
    if (fit.centred[j] > parameter.low && fit.centred[j] < parameter.high) free.push_back(j);
  }
  const LawMatrix information = objective.information(), squares = objective.squared_residuals();
  const Eigen::MatrixXd inverse = Eigen::MatrixXd(information(free, free)).inverse();
  const Eigen::MatrixXd robust = inverse * squares(free, free) * inverse;
  double mean_square = 0;
  for (const double r : measured_residuals(problem, fit))
    mean_square += r * r / static_cast<double>(fit.measured());
  const double lambda = likelihood_scale(problem, fit);
  const std::vector<double> none(problem.form->size(), std::numeric_limits<double>::quiet_NaN());
  LinearErrors out{none, none};
  for (std::size_t a = 0; a < free.size(); ++a) {
    const auto k = static_cast<Eigen::Index>(a);
    const auto j = static_cast<std::size_t>(free[a]);
    out.standard_error[j] = std::sqrt(lambda * inverse(k, k));
    out.scatter[j] = std::sqrt(robust(k, k) / (mean_square * inverse(k, k)));
  }
  return out;
}

bool has_profile(const Form& form, std::size_t parameter) {
  if (parameter >= form.size()) return false;
  const LawParameter& of = form.parameters()[parameter];
  return parameter < form.coefficients() ? of.name == "E" : !of.entwined;
}

ProfileInterval profile_interval(const LawProblem& problem, const LawFit& fit,
                                 const std::string& parameter, double coverage) {
  if (!fit.usable()) throw Error("law.unusable", "no profile of a fit that failed: " + fit.failure);
  const Form& form = *problem.form;
  const std::size_t held = form.index(parameter);
  if (!has_profile(form, held))
    throw Error("law.parameter", "no profile of `" + parameter + "` in the form " + form.name(),
                "profiles are of E and of exponents: other parameters change with the units of "
                "the columns");
  return Profile(problem, fit, held, coverage).run();
}

bool floor_is_above_zero(const LawProblem& problem, const LawFit& fit, double coverage) {
  const std::size_t held = problem.form->index("E");
  if (!fit.usable() || held == problem.form->size()) return false;
  // In steps: a floor and its exponents move far together, and one leap may end in another valley.
  Profile profile(problem, fit, held, coverage);
  const double floor = fit.centred[static_cast<Eigen::Index>(held)];
  for (const double part : {0.75, 0.5, 0.25, 0.1})
    if (profile.excess(part * floor) > 0) break;
  return profile.excess(0) > 0;
}

}  // namespace assay
