// A fitted law as the JSON that `assay fit` prints.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/law/fitted/fitted_law.h"

namespace assay {
namespace {

using Json = nlohmann::json;

Json number_json(double value) { return std::isfinite(value) ? Json(value) : Json(); }

// An end that is open is null.
Json limits_json(const std::optional<LawLimits>& limits) {
  if (!limits || std::isnan(limits->low) || std::isnan(limits->high)) return nullptr;
  return {number_json(limits->low), number_json(limits->high)};
}

Json allocation_json(const FittedLaw& law) {
  if (!law.identifiable()) return nullptr;
  // Exponents do not depend on the compute at which sizes are asked for.
  const auto value = allocation(*law.problem.form, law.fit.parameters, 1e18);
  if (!value) return nullptr;
  Json out{{"a", value->model_exponent},
           {"b", value->data_exponent},
           {"loss_exponent", value->loss_exponent}};
  out["a_interval"] = out["b_interval"] = out["loss_exponent_interval"] = nullptr;
  if (!law.resamples) return out;
  const auto with = allocation_intervals(law.problem, law.fit, *law.resamples, 1e18);
  if (!with) return out;
  out["a_interval"] = limits_json(with->model_exponent);
  out["b_interval"] = limits_json(with->data_exponent);
  out["loss_exponent_interval"] = limits_json(with->loss_exponent);
  return out;
}

Json structural_json(const FittedLaw& law) {
  if (!law.structural) return nullptr;
  const StructuralBits& found = *law.structural;
  const bool told = found.failure.empty();
  return {{"bits", told ? Json(found.bits) : Json()},
          {"interval", told ? limits_json(found.limits) : Json()},
          {"data_size", found.data},
          {"extrapolated", told ? Json(found.extrapolated) : Json()},
          {"failure", told ? Json() : Json(found.failure)}};
}

Json gate_json(const FittedLaw& law) {
  if (!law.gate) return nullptr;
  Json out{{"reasons", law.gate->reasons}, {"remedies", law.gate->remedies}, {"slope", nullptr}};
  if (const auto& slope = law.gate->slope)
    out["slope"] = {{"axis", axis_name(slope->axis)},
                    {"exponent", slope->exponent},
                    {"interval", limits_json(slope->limits)}};
  return out;
}

Json bootstrap_json(const FittedLaw& law) {
  if (!law.resamples) return nullptr;
  const LawBootstrap& resamples = *law.resamples;
  return {{"kept", resamples.kept},
          {"failed", resamples.failed},
          {"failure", resamples.failure.empty() ? Json() : Json(resamples.failure)},
          {"restarted", resamples.restarted},
          {"disagreeing", resamples.disagreeing}};
}

std::string method_of(const FittedLaw& law) {
  if (!law.profiles.empty()) return "profile likelihood, rows taken as independent";
  if (!law.resamples || law.resamples->kept == 0) return "none";
  return fmt::format(
      "case bootstrap over {} runs, {} resamples and {} that failed, {} from the whole start grid",
      law.fit.clusters, law.resamples->kept, law.resamples->failed, law.resamples->restarted);
}

Json cut_json(const HoldoutCut& cut) {
  if (!cut.failure.empty()) return {{"name", cut.name}, {"failure", cut.failure}};
  return {{"name", cut.name},
          {"failure", nullptr},
          {"fitted", cut.fitted},
          {"held_out", cut.held_out},
          {"decades_beyond", number_json(cut.decades_beyond)},
          {"log_rmse", number_json(cut.log_rmse)},
          {"log_bias", number_json(cut.log_bias)},
          {"coverage80", number_json(cut.coverage80)},
          {"coverage95", number_json(cut.coverage95)},
          {"carried_rmse", number_json(cut.carried_rmse)},
          {"power_rmse", number_json(cut.power_rmse)}};
}

Json holdout_json(const FittedLaw& law) {
  if (!law.held_out) return nullptr;
  const Holdout& held_out = *law.held_out;
  Json cuts = Json::array(), drift = Json::object();
  for (const HoldoutCut& cut : held_out.cuts) cuts.push_back(cut_json(cut));
  for (const ParameterDrift& of : held_out.drift)
    drift[of.parameter] = {number_json(of.low), number_json(of.high)};
  return {{"log_rmse", number_json(held_out.log_rmse)},
          {"carried_rmse", number_json(held_out.carried_rmse)},
          {"power_rmse", number_json(held_out.power_rmse)},
          {"cuts", cuts},
          {"drift", drift}};
}

Json choice_json(const FittedLaw& law) {
  if (!law.choice) return nullptr;
  Json rivals = Json::array();
  for (const FormRival& rival : law.choice->rivals)
    rivals.push_back({{"form", rival.form},
                      {"log_rmse", number_json(rival.log_rmse)},
                      {"difference", number_json(rival.difference)},
                      {"standard_error", number_json(rival.standard_error)},
                      {"indistinguishable", rival.indistinguishable}});
  return {{"best", law.choice->best},
          {"chosen", law.choice->chosen},
          {"distinguished", law.choice->distinguished},
          {"rivals", rivals}};
}

}  // namespace

nlohmann::json to_json(const FittedLaw& law) {
  const Form& form = *law.problem.form;
  const LawFit& fit = law.fit;
  Json parameters = Json::object(), units = Json::object(), intervals = Json::object();
  for (size_t i = 0; i < form.size(); ++i) {
    const LawParameter& parameter = form.parameters()[i];
    units[parameter.name] = parameter.unit;
    parameters[parameter.name] = law.identifiable() ? Json(fit.parameters[i]) : Json();
    intervals[parameter.name] = limits_json(law.identifiable() ? law.interval(i) : std::nullopt);
  }
  const bool squares = std::isinf(fit.scale.delta);
  Json axes = Json::array();
  for (const LawAxis axis : form.axes()) axes.push_back(axis_symbol(axis));
  return {{"form", form.name()},
          {"formula", form.formula()},
          {"source", form.source()},
          {"axes", axes},
          {"group", law.group},
          {"identifiable", law.identifiable()},
          {"identifiability", gate_json(law)},
          {"parameters", parameters},
          {"units", units},
          {"intervals", intervals},
          {"interval_method", method_of(law)},
          {"fitted", fit.usable() ? Json(fit.parameters) : Json()},
          {"objective", fit.objective},
          {"loss", squares ? "squares of log residuals" : "Huber's of log residuals, summed"},
          {"delta", squares ? Json() : Json(fit.scale.delta)},
          {"sigma", fit.scale.sigma},
          {"sigma_source", fit.scale.source},
          {"flops_per", law.flops_per},
          {"n", fit.rows},
          {"runs", fit.clusters},
          {"upper_bounds", fit.upper_bounds},
          {"diverged", fit.diverged},
          {"starts", fit.starts},
          {"agreeing", fit.agreeing},
          {"converged", fit.converged},
          {"at_bound", fit.at_bound},
          {"condition_number", fit.condition_number},
          {"correlation", fit.correlation},
          {"bootstrap", bootstrap_json(law)},
          {"optimal_allocation", allocation_json(law)},
          {"structural_bits", structural_json(law)},
          {"holdout", holdout_json(law)},
          {"form_choice", choice_json(law)},
          {"influence", law.influence ? to_json(*law.influence) : Json()},
          {"warnings", fit.warnings},
          {"failure", fit.usable() ? Json() : Json(fit.failure)},
          {"seconds", law.seconds},
          {"search_seconds", law.search_seconds}};
}

}  // namespace assay
