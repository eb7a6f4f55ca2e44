#include "apps/assay/fit_study.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/assay/console.h"
#include "apps/assay/law_text.h"
#include "apps/assay/output.h"
#include "assay/law/fitted/stored_law.h"
#include "assay/law/study/study_laws.h"

namespace assay::cli {
namespace {

using Json = nlohmann::json;
using Rows = std::vector<std::vector<std::string>>;

constexpr const char* kReading =
    "\nslopes: of log loss against log N and log D within the trained range. noise: standard "
    "deviation of a trial's log value.\nheld out: log RMSE of larger trials foretold from smaller "
    "ones, beside that of carrying the last value on.\n–: not told by these trials.\n";

std::string with_limits(double value, const std::optional<LawLimits>& limits) {
  if (!limits || std::isnan(limits->low) || std::isnan(limits->high))
    return fmt::format("{:.3g}", value);
  const auto end = [](double limit) {
    return std::isfinite(limit) ? fmt::format("{:.3g}", limit) : "–";
  };
  return fmt::format("{:.3g} [{}, {}]", value, end(limits->low), end(limits->high));
}

std::string parameter_text(const FittedLaw& law, const char* name) {
  const size_t j = law.problem.form->index(name);
  if (j >= law.problem.form->size() || !law.identifiable()) return "–";
  return with_limits(law.fit.parameters[j], law.interval(j));
}

std::string loss_exponent_text(const FittedLaw& law) {
  if (!law.identifiable()) return "–";
  const auto value = allocation(*law.problem.form, law.fit.parameters, 1);
  if (!value) return "–";
  if (!law.resamples) return fmt::format("{:.3g}", value->loss_exponent);
  const auto with = allocation_intervals(law.problem, law.fit, *law.resamples, 1);
  return with_limits(value->loss_exponent,
                     with ? std::optional(with->loss_exponent) : std::nullopt);
}

std::string slope_text(const std::optional<LocalSlopes>& slopes, Estimate LocalSlopes::*of_axis) {
  if (!slopes) return "–";
  const Estimate& slope = (*slopes).*of_axis;
  return with_limits(slope.value, LawLimits{slope.low, slope.high});
}

std::string holdout_text(const FittedLaw& law) {
  if (!law.held_out || !std::isfinite(law.held_out->log_rmse)) return "–";
  return fmt::format("{:.3f} ({:.3f})", law.held_out->log_rmse, law.held_out->carried_rmse);
}

std::string laws_text(const OutcomeLaws& of) {
  const bool surface = of.laws.front().problem.form->axes().size() > 1;
  Rows rows{{"objective", ">rows", "E"}};
  std::vector<std::string>& header = rows.front();
  if (surface)
    header.insert(header.end(), {"alpha (of N)", "beta (of D)", "exponent of C"});
  else
    header.push_back("c");
  header.insert(header.end(), {"slope of N", "slope of D", "noise", "held out (carried)"});
  std::string unidentified;
  std::vector<std::string> remedies;
  for (size_t i = 0; i < of.laws.size(); ++i) {
    const FittedLaw& law = of.laws[i];
    if (!law.fit.usable())
      unidentified += fmt::format("{}: no law: {}\n", law.group, law.fit.failure);
    std::vector<std::string> row{law.group, fmt::format("{}", law.fit.rows),
                                 parameter_text(law, "E")};
    if (surface)
      row.insert(row.end(), {parameter_text(law, "alpha"), parameter_text(law, "beta"),
                             loss_exponent_text(law)});
    else
      row.push_back(parameter_text(law, "c"));
    for (const auto of_axis : {&LocalSlopes::size, &LocalSlopes::data})
      row.push_back(slope_text(of.slopes[i], of_axis));
    row.push_back(law.fit.usable() ? fmt::format("{:.2g}", law.fit.scale.sigma) : "–");
    row.push_back(holdout_text(law));
    rows.push_back(std::move(row));
    if (law.influence)
      if (const std::string said = describe(*law.influence); !said.empty())
        unidentified += law.group + ": " + said;
    if (!law.gate || law.identifiable()) continue;
    unidentified += fmt::format("{}: {}\n", law.group, fmt::join(law.gate->reasons, "; "));
    for (const std::string& remedy : law.gate->remedies)
      if (std::ranges::find(remedies, remedy) == remedies.end()) remedies.push_back(remedy);
  }
  if (!remedies.empty())
    unidentified += fmt::format("what would tell them: {}\n", fmt::join(remedies, "; or "));
  return table(rows) + unidentified;
}

/// Three decimals, or what is needed to tell a number from zero.
std::string plain(double value) {
  if (value == 0) return "0";
  return std::fabs(value) >= 0.01 ? fmt::format("{:.3f}", value) : fmt::format("{:.2g}", value);
}

std::string differences_text(const OutcomeLaws& of) {
  if (of.differences.empty()) return "";
  Rows rows{{"difference", "of", ">value", ">95% of all pairs", ">detectable", ""}};
  for (const LawDifference& one : of.differences)
    rows.push_back({fmt::format("{} – {}", one.first, one.second), one.quantity, plain(one.value),
                    fmt::format("{} to {}", plain(one.limits.low), plain(one.limits.high)),
                    plain(one.detectable), one.distinguished ? "" : "indistinguishable"});
  return table(rows);
}

std::string outcome_text(const OutcomeLaws& of) {
  std::string text = of.outcome.name;
  if (!of.outcome.readout.empty()) text += fmt::format(", {} readout", of.outcome.readout);
  text += of.outcome.comparable ? fmt::format(", {}s", of.outcome.unit)
                                : ", each in its own unit: exponents do not compare";
  return fmt::format("{}: {}\n{}{}", text, formula_text(*of.laws.front().problem.form),
                     laws_text(of), differences_text(of));
}

void warn_of(const OutcomeLaws& of, const Globals& globals) {
  const std::string name =
      of.outcome.name + (of.outcome.readout.empty() ? "" : ", " + of.outcome.readout);
  const auto say = [&](const std::string& text) { warn(name + ": " + text, globals.color); };
  for (const std::string& warning : of.outcome.warnings) say(warning);
  for (const FittedLaw& law : of.laws) {
    for (const std::string& warning : law.fit.warnings) say(law.group + ": " + warning);
  }
}

/// What is printed, and what `assay predict` needs.
void store(const std::string& path, const Json& printed, const std::vector<OutcomeLaws>& all) {
  std::vector<StoredLaw> stored;
  for (const OutcomeLaws& of : all)
    for (const FittedLaw& law : of.laws) {
      stored.push_back(stored_law(law, of.outcome.unit));
      stored.back().group = law_name(of.outcome, law);
    }
  write_output(path, law_file(printed, stored));
}

}  // namespace

int fit_study(const std::string& folder, const std::string& factor, StudyRows rows,
              LawRequest request, const std::string& output, const Globals& globals) {
  request.holdout = true;
  const StudyFolder study = read_study(folder, ReadDepth::full);
  const std::vector<OutcomeLaws> all = fit_study_laws(study, factor, request, rows);
  Json json{{"format", 1}, {"study", study.name}, {"factor", factor}, {"outcomes", Json::array()}};
  for (const OutcomeLaws& of : all) json["outcomes"].push_back(to_json(of));
  if (!output.empty()) store(output, json, all);
  if (globals.json) {
    print_json(json);
  } else {
    for (const OutcomeLaws& of : all)
      std::printf("%s%s", &of == &all.front() ? "" : "\n", outcome_text(of).c_str());
    std::printf("%s", kReading);
    if (!output.empty()) std::printf("\nstored in %s\n", output.c_str());
    std::fflush(stdout);
    if (!globals.quiet)
      for (const OutcomeLaws& of : all) warn_of(of, globals);
  }
  const auto usable = [](const FittedLaw& law) { return law.fit.usable(); };
  return std::ranges::all_of(
             all, [&](const OutcomeLaws& of) { return std::ranges::all_of(of.laws, usable); })
             ? 0
             : 1;
}

}  // namespace assay::cli
