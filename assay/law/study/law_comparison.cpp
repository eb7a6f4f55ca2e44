#include "assay/law/study/law_comparison.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace assay {
namespace {

constexpr int kFewestDraws = 100;
constexpr double kFewestBeyond = 2;  // draws beyond an end of an interval

double detectable(double standard_error, double degrees) {
  return (student_quantile(0.975, degrees) + student_quantile(0.8, degrees)) * standard_error;
}

double degrees_of(const FittedLaw& law) {
  return std::max(1.0, static_cast<double>(law.problem.rows.measured_clusters) -
                           static_cast<double>(law.problem.form->size()));
}

std::optional<double> quantity_of(const Form& form, std::span<const double> parameters,
                                  const std::string& quantity) {
  if (quantity == "loss_exponent") {
    const auto optimal = allocation(form, parameters, 1);
    return optimal ? std::optional(optimal->loss_exponent) : std::nullopt;
  }
  const size_t j = form.index(quantity);
  return j < form.size() ? std::optional(parameters[j]) : std::nullopt;
}

struct Side {
  const FittedLaw* law = nullptr;
  double value = 0;
  std::vector<double> draws;
};

std::vector<Side> sides(std::span<const FittedLaw> laws, const std::string& quantity) {
  std::vector<Side> all;
  for (const FittedLaw& law : laws) {
    if (!law.identifiable() || !law.resamples) continue;
    const Form& form = *law.problem.form;
    const auto value = quantity_of(form, law.fit.parameters, quantity);
    if (!value) continue;
    Side side{&law, *value, {}};
    for (int k = 0; k < law.resamples->kept; ++k)
      if (const auto draw = quantity_of(form, law.resamples->draw(k), quantity))
        side.draws.push_back(*draw);
    if (side.draws.size() >= kFewestDraws) all.push_back(std::move(side));
  }
  return all;
}

LawDifference difference_of(const Side& first, const Side& second, const std::string& quantity,
                            double coverage) {
  // Both bootstraps have the same seed, so resamples of one number may share their runs' places in
  // the design; half a turn apart they do not.
  const size_t count = std::min(first.draws.size(), second.draws.size());
  std::vector<double> draws(count);
  for (size_t k = 0; k < count; ++k)
    draws[k] = first.draws[k] - second.draws[(k + count / 2) % count];
  double mean = 0, squares = 0;
  for (size_t k = 0; k < count; ++k) {
    const double step = draws[k] - mean;
    mean += step / static_cast<double>(k + 1);
    squares += step * (draws[k] - mean);
  }
  std::ranges::sort(draws);
  LawDifference out{.first = first.law->group,
                    .second = second.law->group,
                    .quantity = quantity,
                    .value = first.value - second.value,
                    .limits = {sorted_quantile(draws, (1 - coverage) / 2),
                               sorted_quantile(draws, (1 + coverage) / 2)},
                    .standard_error = std::sqrt(squares / static_cast<double>(count - 1))};
  const double degrees = std::min(degrees_of(*first.law), degrees_of(*second.law));
  out.detectable = detectable(out.standard_error, degrees);
  if (static_cast<double>(count) * (1 - coverage) / 2 < kFewestBeyond) {  // no such percentile
    const Estimate normal = student_interval(out.value, out.standard_error, degrees,
                                             static_cast<int64_t>(count), coverage);
    out.limits = {normal.low, normal.high};
  }
  out.distinguished = out.limits.low > 0 || out.limits.high < 0;
  return out;
}

}  // namespace

std::vector<LawDifference> compare_laws(std::span<const FittedLaw> laws) {
  std::vector<LawDifference> all;
  for (const char* quantity : {"E", "alpha", "beta", "loss_exponent"}) {
    const std::vector<Side> known = sides(laws, quantity);
    const double pairs = 0.5 * static_cast<double>(known.size() * (known.size() - 1));
    for (size_t i = 0; i < known.size(); ++i)
      for (size_t j = i + 1; j < known.size(); ++j)
        all.push_back(difference_of(known[i], known[j], quantity, 1 - 0.05 / pairs));
  }
  return all;
}

std::vector<LawDifference> compare_slopes(std::span<const NamedSlopes> groups) {
  std::vector<LawDifference> all;
  const double pairs =
      0.5 * static_cast<double>(groups.size()) * (static_cast<double>(groups.size()) - 1);
  for (const bool of_data : {false, true})
    for (size_t i = 0; i < groups.size(); ++i)
      for (size_t j = i + 1; j < groups.size(); ++j) {
        const LocalSlopes &a = groups[i].slopes, &b = groups[j].slopes;
        const Estimate& first = of_data ? a.data : a.size;
        const Estimate& second = of_data ? b.data : b.size;
        const double error = std::hypot(first.standard_error, second.standard_error);
        const auto degrees = static_cast<double>(std::min(a.runs, b.runs) - 3);
        const Estimate difference = student_interval(first.value - second.value, error, degrees,
                                                     std::min(a.rows, b.rows), 1 - 0.05 / pairs);
        all.push_back({.first = groups[i].group,
                       .second = groups[j].group,
                       .quantity = of_data ? "slope of D" : "slope of N",
                       .value = difference.value,
                       .limits = {difference.low, difference.high},
                       .standard_error = error,
                       .detectable = detectable(error, degrees),
                       .distinguished = difference.low > 0 || difference.high < 0});
      }
  return all;
}

}  // namespace assay
