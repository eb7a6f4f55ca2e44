#include "assay/law/intervals/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "assay/core/error.h"
#include "assay/law/fit/search.h"
#include "assay/law/numeric/uniform_below.h"

namespace assay {
namespace {

constexpr std::size_t kLeastDraws = 20;  // for a percentile
/// Of a standard error of the resample: far below what a percentile resolves.
constexpr double kTolerance = 1e-4;

// Rows of equal columns share a number below the count of rows.
std::vector<std::size_t> design_points(const LawProblem& problem) {
  std::map<std::vector<double>, std::size_t> known;
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < problem.rows.count; ++i) {
    std::vector<double> point;
    for (const LawAxis axis : problem.form->axes())
      point.push_back(problem.rows.log_column[static_cast<std::size_t>(axis)][i]);
    out.push_back(known.try_emplace(std::move(point), known.size()).first->second);
  }
  return out;
}

class Resampler {
 public:
  Resampler(const LawProblem& problem, const LawFit& fit, const BootstrapOptions& options)
      : problem_(problem),
        fit_(fit),
        options_(options),
        engine_(options.seed.child("cases").value()),
        grid_(*problem.form),
        objective_(*problem.form, problem.rows, fit.scale.delta),
        times_(static_cast<std::size_t>(problem.rows.clusters)),
        weight_(problem.rows.count),
        point_(design_points(problem)) {
    out_.parameters = problem.form->size();
    out_.seed = options.seed;
    out_.draws.reserve(static_cast<std::size_t>(options.resamples) * out_.parameters);
    polish_.tolerance = kTolerance;
  }

  LawBootstrap run() {
    const auto runs = problem_.rows.measured_clusters,
               least = static_cast<int64_t>(out_.parameters) + 3;
    if (runs < least) {
      out_.failure = fmt::format(
          "{} run{} too few to resample a law of {} parameters, which "
          "takes {}",
          runs, runs == 1 ? " is" : "s are", out_.parameters, least);
      return std::move(out_);
    }
    const int every = options_.restarted_share > 0
                          ? std::max(1, static_cast<int>(std::lround(1 / options_.restarted_share)))
                          : options_.resamples + 1;
    for (int k = 0; k < options_.resamples; ++k) {
      if (!draw_rows()) {
        ++out_.failed;
        continue;
      }
      one(!options_.full, options_.full || k % every == 0);
    }
    if (out_.failed > out_.kept) {
      out_.failure = fmt::format(
          "{} of {} resamples leave too few different design points, or did "
          "not converge",
          out_.failed, options_.resamples);
      out_.draws.clear();
      out_.kept = 0;
    }
    return std::move(out_);
  }

 private:
  // False where a form with p parameters would pass through all measured points that are left.
  bool draw_rows() {
    std::fill(times_.begin(), times_.end(), 0.0);
    for (int64_t k = 0; k < problem_.rows.clusters; ++k)
      ++times_[static_cast<std::size_t>(uniform_below(engine_, problem_.rows.clusters))];
    std::fill(seen_.begin(), seen_.end(), false);
    std::size_t different = 0;
    for (std::size_t i = 0; i < weight_.size(); ++i) {
      weight_[i] = times_[static_cast<std::size_t>(problem_.rows.cluster[i])];
      if (!(weight_[i] > 0) || problem_.rows.is_bound(i) || seen_[point_[i]]) continue;
      seen_[point_[i]] = true;
      ++different;
    }
    if (different <= problem_.form->size()) return false;
    objective_.resample(problem_.rows, weight_);
    return true;
  }

  void one(bool warm, bool restart) {
    Polished best;
    if (warm) best = polish_along_valleys(objective_, fit_.centred, polish_);
    if (restart || !best.converged) {
      const SearchResult found = search(grid_, objective_, options_.starts, polish_);
      ++out_.restarted;
      if (warm && best.converged && !same_minimum(best.objective, found.best.objective))
        ++out_.disagreeing;
      if (!best.converged || found.best.objective < best.objective) best = found.best;
    }
    if (!best.converged) {
      ++out_.failed;
      return;
    }
    problem_.form->change_units(problem_.rows.units, best.parameters.data());
    out_.draws.insert(out_.draws.end(), best.parameters.data(),
                      best.parameters.data() + best.parameters.size());
    ++out_.kept;
  }

  const LawProblem& problem_;
  const LawFit& fit_;
  const BootstrapOptions& options_;
  std::mt19937_64 engine_;
  StartGrid grid_;
  LawObjective objective_;
  std::vector<double> times_, weight_;
  std::vector<std::size_t> point_;                             // [rows]
  std::vector<bool> seen_ = std::vector<bool>(point_.size());  // by point
  PolishOptions polish_;
  LawBootstrap out_;
};

}  // namespace

LawLimits sorted_percentiles(std::span<const double> sorted, double coverage) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (sorted.size() < kLeastDraws) return {kNone, kNone};
  const double tail = (1 - coverage) / 2;
  return {sorted_quantile(sorted, tail), sorted_quantile(sorted, 1 - tail)};
}

std::span<const double> LawBootstrap::draw(int k) const {
  return {draws.data() + static_cast<std::size_t>(k) * parameters, parameters};
}

LawLimits LawBootstrap::interval_of(const std::function<double(std::span<const double>)>& function,
                                    double coverage) const {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(kept));
  for (int k = 0; k < kept; ++k) {
    const double value = function(draw(k));
    if (std::isfinite(value)) values.push_back(value);
  }
  std::ranges::sort(values);
  return sorted_percentiles(values, coverage);
}

LawLimits LawBootstrap::interval(std::size_t parameter, double coverage) const {
  return interval_of([&](std::span<const double> at) { return at[parameter]; }, coverage);
}

double LawBootstrap::standard_error(std::size_t parameter) const {
  double mean = 0, squares = 0;
  for (int k = 0; k < kept; ++k) {
    const double value = draw(k)[parameter], change = value - mean;
    mean += change / (k + 1);
    squares += change * (value - mean);
  }
  return kept > 1 ? std::sqrt(squares / (kept - 1)) : std::numeric_limits<double>::quiet_NaN();
}

LawBootstrap bootstrap(const LawProblem& problem, const LawFit& fit,
                       const BootstrapOptions& options) {
  if (!fit.usable())
    throw Error("law.unusable", "no intervals for a fit that failed: " + fit.failure);
  return Resampler(problem, fit, options).run();
}

double sorted_quantile(std::span<const double> sorted, double probability) {
  const double position = probability * static_cast<double>(sorted.size() - 1);
  const auto below_it = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below_it + 1, sorted.size() - 1);
  const double part = position - static_cast<double>(below_it);
  return sorted[below_it] + part * (sorted[above] - sorted[below_it]);
}

std::vector<double> run_noise(const LawProblem& problem, const LawFit& fit) {
  std::vector<double> out = measured_residuals(problem, fit);
  const auto n = static_cast<double>(out.size()), p = static_cast<double>(problem.form->size());
  if (!(n > p)) return {};
  for (double& residual : out) residual *= std::sqrt(n / (n - p));
  return out;
}

std::vector<double> drawn_losses(const Form& form, const LawBootstrap& bootstrap,
                                 std::span<const double> noise, const Observation& point) {
  std::vector<double> out;
  if (noise.empty()) return out;
  std::mt19937_64 engine(bootstrap.seed.child("noise").value());
  for (int k = 0; k < bootstrap.kept; ++k) {
    const int64_t drawn = uniform_below(engine, static_cast<int64_t>(noise.size()));
    const double loss =
        predict(form, bootstrap.draw(k), point) * std::exp(noise[static_cast<std::size_t>(drawn)]);
    if (std::isfinite(loss)) out.push_back(loss);
  }
  std::ranges::sort(out);
  return out;
}

LawPrediction predict_interval(const Form& form, std::span<const double> parameters,
                               const LawBootstrap& bootstrap, std::span<const double> noise,
                               const Observation& point, double coverage) {
  LawPrediction out;
  out.value = predict(form, parameters, point);
  out.law = bootstrap.interval_of(
      [&](std::span<const double> at) { return predict(form, at, point); }, coverage);
  out.run = sorted_percentiles(drawn_losses(form, bootstrap, noise, point), coverage);
  return out;
}

LawPrediction predict_interval(const LawProblem& problem, const LawFit& fit,
                               const LawBootstrap& bootstrap, const Observation& point,
                               double coverage) {
  return predict_interval(*problem.form, fit.parameters, bootstrap, run_noise(problem, fit), point,
                          coverage);
}

std::optional<AllocationIntervals> allocation_intervals(const LawProblem& problem,
                                                        const LawFit& fit,
                                                        const LawBootstrap& bootstrap,
                                                        double compute, double coverage,
                                                        double flops_per) {
  return allocation_intervals(*problem.form, fit.parameters, bootstrap, compute, coverage,
                              flops_per);
}

std::optional<AllocationIntervals> allocation_intervals(const Form& form,
                                                        std::span<const double> parameters,
                                                        const LawBootstrap& bootstrap,
                                                        double compute, double coverage,
                                                        double flops_per) {
  const auto value = allocation(form, parameters, compute, flops_per);
  if (!value) return std::nullopt;
  const auto limits = [&](double Allocation::*member) {
    return bootstrap.interval_of(
        [&](std::span<const double> at) {
          const auto drawn = allocation(form, at, compute, flops_per);
          return drawn ? (*drawn).*member : std::numeric_limits<double>::quiet_NaN();
        },
        coverage);
  };
  return AllocationIntervals{*value,
                             limits(&Allocation::model_exponent),
                             limits(&Allocation::data_exponent),
                             limits(&Allocation::model_size),
                             limits(&Allocation::data_size),
                             limits(&Allocation::loss_exponent)};
}

}  // namespace assay
