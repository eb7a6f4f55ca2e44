#include "assay/law/validation/holdout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "assay/law/validation/identifiability.h"

namespace assay {
namespace {

constexpr std::size_t kMostRowVisits = 2'000'000;  // rows times resamples
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double root_mean_square(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return values.empty() ? kNone : std::sqrt(sum / static_cast<double>(values.size()));
}

// What "larger" means: C, N D, or the one column of the form.
std::vector<double> scales(std::span<const Observation> rows, const Form& form) {
  std::vector<double> out;
  const bool one = form.axes().size() == 1;
  const bool known =
      std::all_of(rows.begin(), rows.end(), [](const Observation& row) { return row.compute > 0; });
  for (const Observation& row : rows)
    out.push_back(one     ? value_on(row, form.axes()[0])
                  : known ? row.compute
                          : row.model_size * row.data_size);
  return out;
}

// Marks every row of a run that has one marked row.
void complete_runs(std::span<const Observation> rows, std::vector<bool>& held) {
  std::map<std::string, bool> out;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (!rows[i].run.empty() && held[i]) out[rows[i].run] = true;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (out.contains(rows[i].run)) held[i] = true;
}

class Roll {
 public:
  Roll(std::span<const Observation> observations, FormPointer form, const HoldoutOptions& options)
      : form_(std::move(form)), options_(options) {
    for (std::size_t i = 0; i < observations.size(); ++i) {
      if (observations[i].status == ObservationStatus::diverged) continue;
      rows_.push_back(observations[i]);
      source_.push_back(i);
    }
    scale_ = scales(rows_, *form_);
  }

  Holdout run();

 private:
  void by_compute(double quantile);
  void by_largest(LawAxis axis);
  void add_cut(std::string name, std::vector<bool> held);
  void score(const LawProblem& problem, const LawFit& fit, const std::vector<Observation>& held,
             HoldoutCut& cut) const;
  void add_baselines(const std::vector<Observation>& fitted, const std::vector<double>& scale,
                     const std::vector<Observation>& held, const std::vector<double>& held_scale,
                     HoldoutCut& cut) const;
  void add_drift();

  FormPointer form_;
  const HoldoutOptions& options_;
  std::vector<Observation> rows_;
  std::vector<std::size_t> source_;
  std::vector<double> scale_;
  Holdout out_;
};

Holdout Roll::run() {
  out_.form = form_->name();
  out_.parameters = form_->size();
  law_problem(rows_, form_, true);  // faults of the columns are the caller's, not a cut's
  for (const double quantile : options_.quantiles) by_compute(quantile);
  if (options_.largest)
    for (const LawAxis axis : {LawAxis::model_size, LawAxis::data_size})
      if (form_->axes().size() > 1) by_largest(axis);
  add_drift();
  double errors = 0, carried = 0, power = 0, count = 0;
  for (const HoldoutCut& cut : out_.cuts) {
    if (!cut.failure.empty()) continue;
    const auto n = static_cast<double>(cut.held_out);
    errors += n * cut.log_rmse * cut.log_rmse;
    carried += n * cut.carried_rmse * cut.carried_rmse;
    power += n * cut.power_rmse * cut.power_rmse;
    count += n;
  }
  out_.log_rmse = std::sqrt(errors / count);
  out_.carried_rmse = std::sqrt(carried / count);
  out_.power_rmse = std::sqrt(power / count);
  return std::move(out_);
}

// The lowest `quantile` of the rows are fitted; rows of equal compute stay together.
void Roll::by_compute(double quantile) {
  std::vector<double> sorted = scale_;
  std::sort(sorted.begin(), sorted.end());
  const auto rank = static_cast<std::size_t>(quantile * static_cast<double>(sorted.size()));
  const double cut = sorted.empty() ? 0 : sorted[rank > 0 ? rank - 1 : 0];
  std::vector<bool> held(rows_.size());
  for (std::size_t i = 0; i < rows_.size(); ++i) held[i] = scale_[i] > cut;
  add_cut(fmt::format("compute:{}", quantile), std::move(held));
}

void Roll::by_largest(LawAxis axis) {
  double largest = 0;
  for (const Observation& row : rows_) largest = std::max(largest, value_on(row, axis));
  std::vector<bool> held(rows_.size());
  for (std::size_t i = 0; i < rows_.size(); ++i) held[i] = value_on(rows_[i], axis) >= largest;
  add_cut("largest:" + std::string(axis_name(axis)), std::move(held));
}

void Roll::add_cut(std::string name, std::vector<bool> held) {
  complete_runs(rows_, held);
  HoldoutCut cut;
  cut.name = std::move(name);
  std::vector<Observation> below, beyond;
  std::vector<double> below_scale, beyond_scale;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (!held[i]) {
      below.push_back(rows_[i]);
      below_scale.push_back(scale_[i]);
    } else if (rows_[i].status == ObservationStatus::measured) {
      beyond.push_back(rows_[i]);
      beyond_scale.push_back(scale_[i]);
      cut.rows.push_back(source_[i]);
    }
  }
  cut.fitted = static_cast<int64_t>(below.size());
  cut.held_out = static_cast<int64_t>(beyond.size());
  const LawProblem problem = law_problem(below, form_, true);
  const LawFit fit = fit_law(problem, {.loss = options_.loss});
  cut.failure = beyond.empty() ? "no rows are held out" : fit.failure;
  if (cut.failure.empty())
    if (const Identifiability design = design_faults(problem); !design.identifiable)
      cut.failure = design.reasons.front();
  if (cut.failure.empty()) {
    score(problem, fit, beyond, cut);
    add_baselines(below, below_scale, beyond, beyond_scale, cut);
  }
  out_.cuts.push_back(std::move(cut));
}

void Roll::score(const LawProblem& problem, const LawFit& fit, const std::vector<Observation>& held,
                 HoldoutCut& cut) const {
  cut.parameters = fit.parameters;
  for (const Observation& row : held) {
    cut.errors.push_back(std::log(predict(*form_, fit.parameters, row) / row.loss));
    cut.log_bias += cut.errors.back() / static_cast<double>(held.size());
  }
  cut.log_rmse = root_mean_square(cut.errors);
  cut.coverage80 = cut.coverage95 = kNone;
  if (options_.resamples <= 0) return;
  const auto enough =
      static_cast<int>(std::max<std::size_t>(kMostRowVisits / problem.rows.count, 100));
  const LawBootstrap draws = bootstrap(
      problem, fit,
      {.resamples = std::min(options_.resamples, enough), .seed = options_.seed.child(cut.name)});
  const std::vector<double> noise = run_noise(problem, fit);
  double inside80 = 0, inside95 = 0;
  for (const Observation& row : held) {
    const std::vector<double> losses = drawn_losses(*form_, draws, noise, row);
    const auto covered = [&](double coverage) {
      const LawLimits limits = sorted_percentiles(losses, coverage);
      if (std::isnan(limits.low)) return kNone;
      return limits.low <= row.loss && row.loss <= limits.high ? 1.0 : 0.0;
    };
    inside80 += covered(0.8);
    inside95 += covered(0.95);
  }
  cut.coverage80 = inside80 / static_cast<double>(held.size());
  cut.coverage95 = inside95 / static_cast<double>(held.size());
}

void Roll::add_baselines(const std::vector<Observation>& fitted, const std::vector<double>& scale,
                         const std::vector<Observation>& held,
                         const std::vector<double>& held_scale, HoldoutCut& cut) const {
  double last = 0;
  for (std::size_t i = 0; i < fitted.size(); ++i)
    if (fitted[i].status == ObservationStatus::measured) last = std::max(last, scale[i]);
  const double furthest = *std::max_element(held_scale.begin(), held_scale.end());
  cut.decades_beyond = std::log10(furthest / last);
  double carried = 0, count = 0;
  std::vector<Observation> along = fitted;
  for (std::size_t i = 0; i < fitted.size(); ++i) {
    along[i].compute = scale[i];
    if (scale[i] < last || fitted[i].status != ObservationStatus::measured) continue;
    carried += std::log(fitted[i].loss);
    ++count;
  }
  const FormPointer power = make_form("power", LawAxis::compute);
  const LawFit fit = fit_law(law_problem(along, power, true), {.loss = options_.loss});
  std::vector<double> carried_errors, power_errors;
  for (std::size_t i = 0; i < held.size(); ++i) {
    Observation point = held[i];
    point.compute = held_scale[i];
    carried_errors.push_back(carried / count - std::log(point.loss));
    if (fit.usable())
      power_errors.push_back(std::log(predict(*power, fit.parameters, point) / point.loss));
  }
  cut.carried_rmse = root_mean_square(carried_errors);
  cut.power_rmse = root_mean_square(power_errors);
}

void Roll::add_drift() {
  const LawFit all = fit_law(law_problem(rows_, form_, true), {.loss = options_.loss});
  if (!all.usable()) return;
  for (std::size_t j = 0; j < form_->size(); ++j) {
    const std::string& name = form_->parameters()[j].name;
    if (j < form_->coefficients() && name != "E") continue;
    ParameterDrift drift{name, all.parameters[j], all.parameters[j], all.parameters[j]};
    for (const HoldoutCut& cut : out_.cuts) {
      if (!cut.failure.empty() || !cut.name.starts_with("compute:")) continue;
      drift.low = std::min(drift.low, cut.parameters[j]);
      drift.high = std::max(drift.high, cut.parameters[j]);
    }
    out_.drift.push_back(drift);
  }
}

}  // namespace

Holdout holdout(std::span<const Observation> observations, const FormPointer& form,
                const HoldoutOptions& options) {
  return Roll(observations, form, options).run();
}

}  // namespace assay
