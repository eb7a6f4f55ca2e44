#include "assay/report/figures/law_views.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "assay/report/text.h"

namespace assay::report {

const OutcomeLaws* main_law(const ReportData& data) {
  const OutcomeLaws* first = nullptr;
  for (const OutcomeLaws& of : data.study.laws) {
    if (!of.outcome.comparable) continue;
    if (of.outcome.readout == "attentive") return &of;
    if (!first) first = &of;
  }
  return first;
}

const OutcomeLaws* own_law(const ReportData& data) {
  for (const OutcomeLaws& of : data.study.laws)
    if (!of.outcome.comparable) return &of;
  return nullptr;
}

std::string outcome_words(const OutcomeLaws& of) {
  return of.outcome.readout.empty()
             ? of.outcome.name
             : fmt::format("{}, {} readout", of.outcome.name, of.outcome.readout);
}

std::string count_of(double count) {
  if (count >= 1e9) return fmt::format("{:.3g} G", count / 1e9);
  if (count >= 1e6) return fmt::format("{:.3g} M", count / 1e6);
  if (count >= 1e3) return fmt::format("{:.3g} k", count / 1e3);
  return fmt::format("{:.0f}", count);
}

namespace {

Estimate unidentified(const FittedLaw& law) {
  Estimate estimate;
  estimate.note = law.fit.usable() ? "not identified" : law.fit.failure;
  return estimate;
}

void take(const std::optional<LawLimits>& limits, Estimate& estimate) {
  if (!limits || !std::isfinite(limits->low) || !std::isfinite(limits->high)) return;
  estimate.low = limits->low;
  estimate.high = limits->high;
  estimate.interval = "bootstrap";
}

}  // namespace

Estimate estimate_of(const FittedLaw& law, size_t parameter) {
  if (!law.identifiable()) return unidentified(law);
  Estimate estimate{.value = law.fit.parameters[parameter], .n = law.fit.rows};
  take(law.interval(parameter), estimate);
  return estimate;
}

Estimate estimate_of(const FittedLaw& law, const std::string& quantity) {
  if (!law.identifiable()) return unidentified(law);
  const Form& form = *law.problem.form;
  const bool of_model = quantity == "model_exponent";
  if (!of_model && quantity != "loss_exponent") return estimate_of(law, form.index(quantity));
  const auto value = allocation(form, law.fit.parameters, 1);
  if (!value) return unidentified(law);
  Estimate estimate{.value = of_model ? value->model_exponent : value->loss_exponent,
                    .n = law.fit.rows};
  if (law.resamples)
    if (const auto with = allocation_intervals(law.problem, law.fit, *law.resamples, 1))
      take(of_model ? with->model_exponent : with->loss_exponent, estimate);
  return estimate;
}

std::vector<std::string> quantities_of(const OutcomeLaws& of) {
  const Form& form = *of.laws.front().problem.form;
  std::vector<std::string> quantities;
  for (const char* name : {"E", "alpha", "beta", "gamma", "c"})
    if (form.index(name) < form.size()) quantities.push_back(name);
  if (form.index("alpha") < form.size()) quantities.push_back("loss_exponent");
  return quantities;
}

std::string floor_sentence(const OutcomeLaws& of) {
  const Form& form = *of.laws.front().problem.form;
  if (form.index("E") >= form.size()) return fmt::format("The laws of the {}", outcome_words(of));
  std::vector<std::string> above, zero, unknown;
  for (const FittedLaw& law : of.laws) {
    const Estimate floor = estimate_of(law, "E");
    if (!floor.known())
      unknown.push_back(law.group);
    else if (floor.above(0))
      above.push_back(fmt::format("{} ({})", law.group, estimate_text(floor, of.outcome.unit)));
    else
      zero.push_back(law.group);
  }
  std::vector<std::string> parts;
  if (!above.empty()) parts.push_back("a floor that scale does not remove: " + join_and(above));
  if (!zero.empty()) parts.push_back("a floor that may be zero: " + join_and(zero));
  if (!unknown.empty())
    parts.push_back("not told by these trials: the law of " + join_and(unknown));
  return capitalised(join(parts, "; "));
}

}  // namespace assay::report
