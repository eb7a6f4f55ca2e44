#include "assay/law/validation/influence.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "assay/core/error.h"
#include "assay/law/fit/search.h"
#include "assay/law/fit/twins.h"
#include "assay/law/intervals/profile.h"

namespace assay {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostRowVisits = 4'000'000;  // rows times refits

class Flags {
 public:
  Flags(const LawProblem& problem, const LawFit& fit, std::span<const Observation> observations)
      : problem_(problem), fit_(fit), observations_(observations) {}

  // By position among the fitted rows.
  std::map<std::size_t, std::vector<std::string>> run() {
    for (std::size_t i = 0; i < problem_.rows.count; ++i) {
      const bool bound = row(i).status == ObservationStatus::upper_bound;
      if (bound) flags_[i].push_back("upper bound");
      if (std::fabs(fit_.residuals[i]) > kOutlierSigma * fit_.scale.sigma && fit_.scale.sigma > 0)
        flags_[i].push_back("outlier");
    }
    duplicates();
    for (const LawAxis axis : problem_.form->axes())
      if (axis != LawAxis::unique_data) largest(axis);
    return std::move(flags_);
  }

 private:
  const Observation& row(std::size_t i) const { return observations_[problem_.rows.source[i]]; }

  void duplicates() {
    const std::vector<std::size_t> first = first_twins(observations_, problem_.rows.source);
    for (std::size_t i = 0; i < first.size(); ++i)
      if (first[i] != i) flags_[i].push_back("duplicate");
  }

  void largest(LawAxis axis) {
    const auto& column = problem_.rows.log_column[static_cast<std::size_t>(axis)];
    const auto end = column.begin() + static_cast<std::ptrdiff_t>(problem_.rows.count);
    const double most = *std::max_element(column.begin(), end);
    for (std::size_t i = 0; i < problem_.rows.count; ++i)
      if (column[i] >= most) flags_[i].push_back(fmt::format("largest {}", axis_symbol(axis)));
  }

  const LawProblem& problem_;
  const LawFit& fit_;
  std::span<const Observation> observations_;
  std::map<std::size_t, std::vector<std::string>> flags_;
};

class Refits {
 public:
  Refits(const LawProblem& problem, const LawFit& fit, std::vector<std::size_t> exponents)
      : problem_(problem),
        fit_(fit),
        exponents_(std::move(exponents)),
        objective_(*problem.form, problem.rows, fit.scale.delta),
        grid_(*problem.form),
        weight_(problem.rows.weight) {}

  void without(std::size_t row, InfluentialRow& out) {
    const auto left = problem_.rows.measured() - !problem_.rows.is_bound(row);
    if (left < static_cast<int64_t>(problem_.form->least_rows())) {
      out.failure = "too few rows would be left";
      return;
    }
    weight_[row] = 0;
    objective_.resample(problem_.rows, weight_);
    weight_[row] = 1;
    Polished found = polish(objective_, fit_.centred, {.tolerance = 1e-6});
    if (!found.converged) found = search(grid_, objective_, 4, {.tolerance = 1e-6}).best;
    if (!found.converged) {
      out.failure = "the fit without it does not converge";
      return;
    }
    const std::vector<double> refit = table_parameters(problem_, found.parameters);
    for (const std::size_t j : exponents_) out.change.push_back(refit[j] - fit_.parameters[j]);
  }

 private:
  const LawProblem& problem_;
  const LawFit& fit_;
  std::vector<std::size_t> exponents_;
  LawObjective objective_;
  StartGrid grid_;
  std::vector<double> weight_;
};

void find_largest(Influence& out) {
  for (std::size_t j = 0; j < out.exponents.size(); ++j) {
    ExponentChange most{out.exponents[j]};
    bool any = false;
    for (std::size_t k = 0; k < out.rows.size(); ++k) {
      if (out.rows[k].change.empty()) continue;
      const double change = out.rows[k].change[j];
      if (any && std::fabs(change) <= std::fabs(most.change)) continue;
      any = true;
      most.change = change;
      most.standard_errors = std::fabs(change) / out.standard_errors[j];
      most.row = k;
    }
    if (any) out.largest.push_back(most);
  }
}

Json known(double value) { return std::isfinite(value) ? Json(value) : Json(); }

}  // namespace

Influence influence(const LawProblem& problem, const LawFit& fit,
                    std::span<const Observation> observations) {
  if (!fit.usable())
    throw Error("law.unusable", "no influence on a fit that failed: " + fit.failure);
  Influence out;
  const std::vector<double> errors = linear_errors(problem, fit).standard_error;
  std::vector<std::size_t> exponents;
  for (std::size_t j = problem.form->coefficients(); j < problem.form->size(); ++j) {
    if (!has_profile(*problem.form, j)) continue;
    exponents.push_back(j);
    out.exponents.push_back(problem.form->parameters()[j].name);
    out.standard_errors.push_back(errors[j]);
  }
  const auto flags = Flags(problem, fit, observations).run();
  out.flagged = static_cast<int64_t>(flags.size());
  std::vector<std::size_t> order;
  for (const auto& [row, reasons] : flags) order.push_back(row);
  std::ranges::stable_sort(order, std::greater(),
                           [&](std::size_t row) { return std::fabs(fit.residuals[row]); });
  const std::size_t time = std::max<std::size_t>(kMostRowVisits / problem.rows.count, 4);
  order.resize(std::min({order.size(), kMostInfluenceRefits, time}));
  Refits refits(problem, fit, std::move(exponents));
  for (const std::size_t row : order) {
    const std::size_t index = problem.rows.source[row];
    out.rows.push_back(
        {index, observations[index].line, observations[index].run, flags.at(row), {}, {}});
    refits.without(row, out.rows.back());
  }
  find_largest(out);
  return out;
}

nlohmann::json to_json(const Influence& influence) {
  Json rows = Json::array(), largest = Json::object();
  for (const InfluentialRow& row : influence.rows) {
    Json change = Json::object();
    for (std::size_t j = 0; j < row.change.size(); ++j)
      change[influence.exponents[j]] = known(row.change[j]);
    rows.push_back({{"line", row.line},
                    {"run", row.run},
                    {"reasons", row.reasons},
                    {"failure", row.failure.empty() ? Json() : Json(row.failure)},
                    {"change", change}});
  }
  for (const ExponentChange& most : influence.largest)
    largest[most.parameter] = {{"line", influence.rows[most.row].line},
                               {"run", influence.rows[most.row].run},
                               {"reasons", influence.rows[most.row].reasons},
                               {"change", known(most.change)},
                               {"standard_errors", known(most.standard_errors)}};
  return {{"flagged", influence.flagged},
          {"refitted", influence.rows.size()},
          {"largest", largest},
          {"rows", rows}};
}

std::string describe(const Influence& influence) {
  const ExponentChange* most = nullptr;
  for (const ExponentChange& change : influence.largest)
    if (std::isfinite(change.standard_errors) &&
        (!most || change.standard_errors > most->standard_errors))
      most = &change;
  if (!most) return "";
  const InfluentialRow& row = influence.rows[most->row];
  return fmt::format(
      "without {} ({}) {} moves by {:+.2g} ({:.2g} standard errors): the most of {} "
      "flagged row{}\n",
      row.line > 0       ? fmt::format("line {}", row.line)
      : !row.run.empty() ? "run " + row.run
                         : "one row",
      fmt::join(row.reasons, ", "), most->parameter, most->change, most->standard_errors,
      influence.flagged, influence.flagged == 1 ? "" : "s");
}

}  // namespace assay
