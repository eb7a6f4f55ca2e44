#include "assay/law/fit/fit.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "assay/law/fit/entangled.h"
#include "assay/law/fit/search.h"
#include "assay/stats/interval.h"

namespace assay {
namespace {

using Index = Eigen::Index;

// Of forms whose objectives have many minima.
constexpr std::size_t kProbesPerStart = 16, kEntangledStarts = 4;
constexpr std::size_t kFewRowsPerParameter = 3;
constexpr double kMedianEfficiency = 0.37;  // of σ by the median residual of normal noise
constexpr double kExceeds = 1e-3;           // level of the F test

std::vector<double> measured(std::span<const double> residuals,
                             const std::vector<double>& highest) {
  std::vector<double> out;
  for (std::size_t i = 0; i < residuals.size(); ++i)
    if (std::isinf(highest[i])) out.push_back(residuals[i]);
  return out;
}

// Half of the residuals' deviation under least squares, where rows are few; else 0.
double least_sigma(LawObjective& objective, const LawVector& start) {
  const std::size_t p = objective.size();
  if (measured(objective.residuals(), objective.highest()).size() >= kFewRowsPerParameter * p)
    return 0;
  const double delta = objective.delta();
  objective.set_delta(std::numeric_limits<double>::infinity());
  LawVector gradient(start.size());
  objective.value_and_gradient(
      polish_along_valleys(objective, start, {.tolerance = 1e-3}).parameters, gradient);
  objective.set_delta(delta);
  const std::vector<double> left = measured(objective.residuals(), objective.highest());
  double squares = 0;
  for (const double residual : left) squares += residual * residual;
  return 0.5 * std::sqrt(squares / static_cast<double>(left.size() - p));
}

// σ and the fit depend on each other: alternated until σ settles.
double sigma_of_residuals(LawObjective& objective, const LawVector& start) {
  LawVector at = start;
  double sigma = 0;
  const double least = least_sigma(objective, start);
  for (int round = 0; round < 8; ++round) {
    at = polish_in_rounds(objective, at, {.tolerance = 1e-3}).parameters;
    const double found = std::max(
        least,
        median_deviation(measured(objective.residuals(), objective.highest()), objective.size()));
    const bool settled = std::fabs(found - sigma) <= 1e-4 * found;
    sigma = found;
    if (settled) break;
    objective.set_delta(delta_at(RobustLoss::automatic(), sigma));
  }
  return sigma;
}

// Of entangled forms the best start says little before a few steps were made from it.
LawVector best_start(LawObjective& objective, const std::vector<GridStart>& starts) {
  if (!entangled(objective.form())) return starts.front().parameters;
  const std::vector<GridStart> some(starts.begin(),
                                    starts.begin() + std::min<Index>(8, std::ssize(starts)));
  const std::vector<GridStart> best = probed(objective, some, 1);
  return best.empty() ? starts.front().parameters : best.front().parameters;
}

// Replicates tell σ, unless residuals scatter by more than they do.
void take_sigma(const LawProblem& problem, double of_residuals, LossScale& scale) {
  const ReplicateNoise& replicates = problem.replicates;
  const int64_t freedom = problem.rows.measured() - static_cast<int64_t>(problem.form->size());
  scale = {scale.delta, of_residuals, "residuals", freedom};
  if (replicates.degrees < kLeastReplicateDegrees) return;
  const double ratio = std::pow(of_residuals / replicates.sigma, 2);
  const double used = std::max(1.0, kMedianEfficiency * static_cast<double>(freedom));
  const bool exceeds =
      replicates.sigma > 0
          ? fisher_tail(ratio, used, static_cast<double>(replicates.degrees)) < kExceeds
          : of_residuals > 0;
  if (exceeds)
    scale.exceeded = replicates.sigma;
  else
    scale = {scale.delta, replicates.sigma, "replicates", replicates.degrees};
}

// δ where it follows from σ; else σ is taken when the fit is made.
void settle_scale(const LawProblem& problem, const RobustLoss& loss, LawObjective& objective,
                  const std::vector<GridStart>& starts, LossScale& scale) {
  if (loss.kind == RobustLoss::Kind::huber_auto)
    take_sigma(problem, sigma_of_residuals(objective, best_start(objective, starts)), scale);
  scale.delta = delta_at(loss, scale.sigma);
}

bool at_bound(const LawParameter& parameter, double value) {
  return value <= parameter.low || value >= parameter.high;
}

// ∂(table units)/∂(row units), by central differences of a smooth closed form.
Eigen::MatrixXd unit_jacobian(const LawProblem& problem, const LawVector& centred) {
  const Index p = centred.size();
  Eigen::MatrixXd out(p, p);
  for (Index j = 0; j < p; ++j) {
    const double step = 1e-6 * std::max(1.0, std::fabs(centred[j]));
    LawVector up = centred, down = centred;
    up[j] += step;
    down[j] -= step;
    problem.form->change_units(problem.rows.units, up.data());
    problem.form->change_units(problem.rows.units, down.data());
    out.col(j) = (up - down) / (2 * step);
  }
  return out;
}

void describe_shape(const LawProblem& problem, LawObjective& objective, LawFit& fit) {
  const Index p = fit.centred.size();
  std::vector<Index> free;
  for (Index j = 0; j < p; ++j) {
    const LawParameter& parameter = problem.form->parameters()[static_cast<std::size_t>(j)];
    if (at_bound(parameter, fit.centred[j])) {
      fit.at_bound.push_back(parameter.name);
    } else {
      free.push_back(j);
    }
  }
  const LawMatrix information = objective.information();
  Eigen::MatrixXd scaled(free.size(), free.size());
  Eigen::VectorXd size(free.size());
  for (std::size_t a = 0; a < free.size(); ++a)
    size[static_cast<Index>(a)] = std::sqrt(information(free[a], free[a]));
  for (Index a = 0; a < scaled.rows(); ++a)
    for (Index b = 0; b < scaled.cols(); ++b)
      scaled(a, b) =
          information(free[static_cast<std::size_t>(a)], free[static_cast<std::size_t>(b)]) /
          (size[a] * size[b]);
  fit.correlation.assign(static_cast<std::size_t>(p * p), 0);
  const bool flat = free.empty() || !(size.minCoeff() > 0);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(flat ? Eigen::MatrixXd::Zero(1, 1)
                                                                   : scaled);
  const double smallest = solver.eigenvalues()[0];
  const double largest = solver.eigenvalues()[solver.eigenvalues().size() - 1];
  fit.condition_number =
      smallest > 0 ? largest / smallest : std::numeric_limits<double>::infinity();
  if (!(smallest > 1e-15 * largest)) return;
  const Eigen::MatrixXd inverse =
      scaled.ldlt().solve(Eigen::MatrixXd::Identity(scaled.rows(), scaled.cols()));
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(p, p);
  for (Index a = 0; a < scaled.rows(); ++a)
    for (Index b = 0; b < scaled.cols(); ++b)
      covariance(free[static_cast<std::size_t>(a)], free[static_cast<std::size_t>(b)]) =
          inverse(a, b) / (size[a] * size[b]);
  const Eigen::MatrixXd jacobian = unit_jacobian(problem, fit.centred);
  covariance = jacobian * covariance * jacobian.transpose();
  for (Index a = 0; a < p; ++a)
    for (Index b = 0; b < p; ++b)
      if (covariance(a, a) > 0 && covariance(b, b) > 0)
        fit.correlation[static_cast<std::size_t>(a * p + b)] =
            covariance(a, b) / std::sqrt(covariance(a, a) * covariance(b, b));
}

void add_warnings(LawFit& fit) {
  if (!fit.converged)
    fit.warnings.push_back(fmt::format(
        "not converged: the gradient is {:.2g} of its sampling deviation", fit.gradient_ratio));
  if (fit.starts > 1 && fit.agreeing < 2)
    fit.warnings.push_back("no second start of " + std::to_string(fit.starts) +
                           " reached the minimum: it may not be the global one");
  for (const std::string& name : fit.at_bound)
    fit.warnings.push_back(name + " is at a bound of its range");
  if (fit.scale.exceeded > 0)
    fit.warnings.push_back(
        fmt::format("log losses scatter about the law by {:.2g} and between seeds by {:.2g}: the "
                    "form misses more than chance does, or runs differ by more than their seeds. σ "
                    "is taken from the residuals",
                    fit.scale.sigma, fit.scale.exceeded));
}

}  // namespace

LawProblem law_problem(std::span<const Observation> observations, FormPointer form, bool checked) {
  LawProblem out;
  out.rows = fit_rows(observations, *form);
  out.replicates = replicate_noise(observations);
  if (!checked) out.faults = replicate_faults(observations);
  out.form = std::move(form);
  return out;
}

std::vector<double> table_parameters(const LawProblem& problem, const LawVector& centred) {
  std::vector<double> out(centred.data(), centred.data() + centred.size());
  problem.form->change_units(problem.rows.units, out.data());
  return out;
}

std::vector<double> measured_residuals(const LawProblem& problem, const LawFit& fit) {
  return measured(fit.residuals, problem.rows.highest);
}

LawFit fit_law(const LawProblem& problem, const FitOptions& options) {
  LawFit fit;
  fit.warnings = problem.faults;
  const Form& form = *problem.form;
  fit.rows = static_cast<int64_t>(problem.rows.count);
  fit.clusters = problem.rows.clusters;
  fit.upper_bounds = problem.rows.upper_bounds;
  fit.diverged = problem.rows.diverged;
  if (fit.measured() < static_cast<int64_t>(form.least_rows())) {
    const std::string rows =
        fit.upper_bounds > 0
            ? fmt::format("{} measured rows beside {} upper bounds", fit.measured(),
                          fit.upper_bounds)
            : fmt::format(
                  "{} row{}{}", fit.rows, fit.rows == 1 ? "" : "s",
                  fit.diverged > 0 ? fmt::format(" beside {} that diverged", fit.diverged) : "");
    fit.failure = fmt::format("{}: {} with its {} parameters needs at least {}", rows, form.name(),
                              form.size(), form.least_rows());
    return fit;
  }
  StartGrid grid(form);
  const bool squares = options.loss.kind == RobustLoss::Kind::least_squares;
  LawObjective objective(
      form, problem.rows,
      squares ? options.loss.delta : std::max(kCoarseDelta, delta_at(options.loss, 0)));
  const bool many = problem.rows.count > kManyRows;
  if (many) objective.resample(problem.rows, part_of(problem.rows));
  std::vector<GridStart> starts =
      grid.starts(objective, options.starts * (entangled(form) ? kProbesPerStart : 1));
  if (starts.empty() || !std::isfinite(starts.front().objective)) {
    fit.failure = "the form could not be evaluated anywhere on its grid";
    return fit;
  }
  settle_scale(problem, options.loss, objective, starts, fit.scale);
  objective.set_delta(fit.scale.delta);
  if (entangled(form)) starts = probed(objective, starts, kEntangledStarts * options.starts);
  if (starts.empty()) {
    fit.failure = "the form could not be evaluated near any start";
    return fit;
  }
  const SearchResult found = many ? polish_in_parts(objective, problem.rows, starts, options.polish)
                                  : polish_all(objective, starts, options.polish, true);
  fit.failure.clear();
  fit.centred = found.best.parameters;
  fit.objective = found.best.objective;
  fit.gradient_ratio = found.best.gradient_ratio;
  fit.converged = found.best.converged;
  fit.starts = found.starts;
  fit.agreeing = found.agreeing;
  LawVector gradient(fit.centred.size());
  objective.value_and_gradient(fit.centred, gradient);
  fit.residuals.assign(objective.residuals().begin(), objective.residuals().end());
  if (fit.scale.source.empty())
    take_sigma(problem, median_deviation(measured_residuals(problem, fit), form.size()), fit.scale);
  fit.parameters = table_parameters(problem, fit.centred);
  describe_shape(problem, objective, fit);
  add_warnings(fit);
  return fit;
}

}  // namespace assay
