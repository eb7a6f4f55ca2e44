#include "apps/assay/law_text.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "apps/assay/console.h"

namespace assay::cli {
namespace {

std::string how_text(const FittedLaw& law) {
  const LawFit& fit = law.fit;
  std::string text = fmt::format(
      "{} of {}, σ = {:.2g} from {}; {}; {} of {} starts agree\n", plural(fit.rows, "row"),
      plural(fit.clusters, "run"), fit.scale.sigma, fit.scale.source,
      fit.converged ? "converged" : "NOT converged", fit.agreeing, fit.starts);
  if (fit.upper_bounds > 0)
    text += fmt::format("{} of them upper bounds: they pull only where the law lies above them\n",
                        fit.upper_bounds);
  if (fit.diverged > 0)
    text += fmt::format("{} diverged, not fitted\n", plural(fit.diverged, "row"));
  for (const std::string& name : fit.at_bound) text += fmt::format("{} is at its bound\n", name);
  return text;
}

std::string allocation_text(const FittedLaw& law) {
  const auto value = allocation(*law.problem.form, law.fit.parameters, 1e18);
  if (!value) return "";
  std::string text = fmt::format("compute-optimal: N* ∝ C^{:.3f}, D* ∝ C^{:.3f}, L − E ∝ C^-{:.3f}",
                                 value->model_exponent, value->data_exponent, value->loss_exponent);
  if (law.resamples && law.resamples->kept > 0)
    if (const auto with = allocation_intervals(law.problem, law.fit, *law.resamples, 1e18))
      text += fmt::format(" ({:.3f} to {:.3f} of N*)", with->model_exponent.low,
                          with->model_exponent.high);
  return text + "\n";
}

std::string structural_text(const FittedLaw& law) {
  if (!law.structural) return "";
  const StructuralBits& found = *law.structural;
  if (!found.failure.empty()) return fmt::format("structural bits: none; {}\n", found.failure);
  std::string interval;
  if (found.limits) interval = fmt::format(" ({})", limits_text(found.limits));
  return fmt::format("structural bits of {} data: {}{}; {:.0f}% of it below the smallest D\n",
                     number_text(found.data), number_text(found.bits), interval,
                     100 * found.extrapolated);
}

/// Why no exponents are told, and what would identify them.
std::string gate_text(const FittedLaw& law) {
  const Identifiability& gate = *law.gate;
  std::string text = "this table does not identify the law's parameters, so none are reported:\n";
  for (size_t i = 0; i < gate.reasons.size(); ++i)
    text += fmt::format("- {}; {}\n", gate.reasons[i], gate.remedies[i]);
  if (gate.slope)
    text += fmt::format("slope along {}: {} ({})\n", axis_symbol(gate.slope->axis),
                        number_text(gate.slope->exponent), limits_text(gate.slope->limits));
  return text;
}

std::string share_text(double share) {
  return std::isnan(share) ? "–" : fmt::format("{:.0f}%", 100 * share);
}

// "compute:0.3", "largest:model_size": what was fitted to.
std::string cut_text(const std::string& name) {
  const std::string what = name.substr(name.find(':') + 1);
  return name.starts_with("compute:")
             ? fmt::format("lowest {:.0f}% by compute", 100 * std::stod(what))
             : fmt::format("all but the largest {}", what);
}

std::string holdout_text(const FittedLaw& law) {
  if (!law.held_out) return "";
  std::vector<std::vector<std::string>> rows{
      {"fitted to", ">rows", ">held out", ">log RMSE", ">in 95% interval", ">carried forward"}};
  for (const HoldoutCut& cut : law.held_out->cuts)
    rows.push_back(cut.failure.empty()
                       ? std::vector<std::string>{cut_text(cut.name), fmt::format("{}", cut.fitted),
                                                  fmt::format("{}", cut.held_out),
                                                  fmt::format("{:.4f}", cut.log_rmse),
                                                  share_text(cut.coverage95),
                                                  fmt::format("{:.4f}", cut.carried_rmse)}
                       : std::vector<std::string>{cut_text(cut.name), cut.failure, "", "", "", ""});
  std::string text = table(rows);
  for (const ParameterDrift& drift : law.held_out->drift)
    text += fmt::format("{} drifts from {} to {} over the cuts\n", drift.parameter,
                        number_text(drift.low), number_text(drift.high));
  if (!law.choice) return text;
  text += fmt::format("chosen by hold-out: {}", law.choice->chosen);
  for (const FormRival& rival : law.choice->rivals)
    if (rival.form != law.choice->chosen)
      text += fmt::format("; {} {:.4f}{}", rival.form, rival.log_rmse,
                          rival.indistinguishable ? " (indistinguishable)" : "");
  return text + "\n";
}

}  // namespace

std::string number_text(double value) {
  const double size = std::abs(value);
  return size != 0 && (size < 1e-3 || size >= 1e6) ? fmt::format("{:.4e}", value)
                                                   : fmt::format("{:.5g}", value);
}

std::string limits_text(const std::optional<LawLimits>& limits) {
  if (!limits || std::isnan(limits->low) || std::isnan(limits->high)) return "–";
  const bool low = std::isfinite(limits->low), high = std::isfinite(limits->high);
  if (low && high)
    return fmt::format("{} to {}", number_text(limits->low), number_text(limits->high));
  if (low) return fmt::format("from {} on", number_text(limits->low));
  return high ? fmt::format("up to {}", number_text(limits->high)) : "any";
}

std::string formula_text(const Form& form) {
  if (form.axes().size() > 1) return form.formula();
  return fmt::format("{}, x = {}", form.formula(), axis_symbol(form.axes().front()));
}

std::string law_text(const FittedLaw& law) {
  const Form& form = *law.problem.form;
  std::string text = law.group.empty() ? "" : law.group + "\n";
  text += fmt::format("{}: {}\n", form.name(), formula_text(form));
  if (!law.fit.usable()) return text + fmt::format("no law: {}\n", law.fit.failure);
  if (!law.identifiable()) return text + gate_text(law) + how_text(law) + holdout_text(law);
  std::vector<std::vector<std::string>> rows{{"parameter", ">value", ">95%", "unit"}};
  for (size_t i = 0; i < form.size(); ++i)
    rows.push_back({form.parameters()[i].name, number_text(law.fit.parameters[i]),
                    limits_text(law.interval(i)), form.parameters()[i].unit});
  text += table(rows) + how_text(law);
  if (law.influence) text += describe(*law.influence);
  return text + allocation_text(law) + structural_text(law) + holdout_text(law);
}

}  // namespace assay::cli
