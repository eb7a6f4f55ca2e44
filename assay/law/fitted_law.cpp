// A law with everything that is said of it: what `assay fit` prints and stores.
#include "assay/law/fitted_law.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/core/error.h"

namespace assay {
namespace {

using Json = nlohmann::json;

constexpr int kFewestResamples = 100, kMostResamples = 1'000'000;

size_t different_values(std::span<const Observation> observations, LawAxis axis) {
  std::set<double> values;
  for (const Observation& observation : observations)
    if (const double value = value_on(observation, axis); std::isfinite(value))
      values.insert(value);
  return values.size();
}

std::optional<ProfileInterval> profile_of(const LawProblem& problem, const LawFit& fit,
                                          size_t parameter) {
  const std::string& name = problem.form->parameters()[parameter].name;
  if (parameter < problem.form->coefficients() && name != "E") return std::nullopt;
  return profile_interval(problem, fit, name);
}

Json limits_json(const std::optional<LawLimits>& limits) {
  if (!limits || !std::isfinite(limits->low) || !std::isfinite(limits->high)) return nullptr;
  return {limits->low, limits->high};
}

Json allocation_json(const FittedLaw& law) {
  if (!law.identifiable()) return nullptr;
  // Exponents do not depend on the compute at which sizes are asked for.
  const auto value = allocation(*law.problem.form, law.fit.parameters, 1e18);
  if (!value) return nullptr;
  Json out{{"a", value->model_exponent}, {"b", value->data_exponent}};
  out["a_interval"] = out["b_interval"] = nullptr;
  if (!law.resamples) return out;
  const auto with = allocation_intervals(law.problem, law.fit, *law.resamples, 1e18);
  if (!with) return out;
  out["a_interval"] = limits_json(with->model_exponent);
  out["b_interval"] = limits_json(with->data_exponent);
  return out;
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
          {"restarted", resamples.restarted},
          {"disagreeing", resamples.disagreeing}};
}

std::string method_of(const FittedLaw& law) {
  if (!law.profiles.empty()) return "profile likelihood, rows taken as independent";
  if (!law.resamples) return "none";
  return fmt::format("case bootstrap over {} runs, {} resamples, {} from the whole start grid",
                     law.fit.clusters, law.resamples->kept + law.resamples->failed,
                     law.resamples->restarted);
}

}  // namespace

IntervalChoice parse_interval_choice(const std::string& text) {
  using Kind = IntervalChoice::Kind;
  const size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  IntervalChoice choice;
  if (name == "bootstrap")
    choice.kind = Kind::bootstrap;
  else if (name == "bootstrap-full")
    choice.kind = Kind::bootstrap_full;
  else if (name == "profile")
    choice.kind = Kind::profile;
  else if (name == "none")
    choice.kind = Kind::none;
  else
    throw Error("law.interval", fmt::format("there are no intervals by `{}`", text),
                suggest(name, {"bootstrap", "bootstrap-full", "profile", "none"}));
  if (colon == std::string::npos) return choice;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, choice.resamples);
  const bool resampled = choice.kind == Kind::bootstrap || choice.kind == Kind::bootstrap_full;
  if (!resampled || read.ec != std::errc() || read.ptr != end ||
      choice.resamples < kFewestResamples || choice.resamples > kMostResamples)
    throw Error("law.interval", fmt::format("`{}` does not say how many resamples", text),
                fmt::format("write bootstrap:4000, with {} to {}; profile and none take no number",
                            kFewestResamples, kMostResamples));
  return choice;
}

std::optional<LawLimits> FittedLaw::interval(size_t parameter) const {
  if (!profiles.empty()) {
    if (!profiles[parameter]) return std::nullopt;
    return profiles[parameter]->limits;
  }
  if (!resamples || resamples->kept == 0) return std::nullopt;
  return resamples->interval(parameter);
}

FormPointer chosen_form(std::span<const Observation> observations, const std::string& name) {
  const auto varies = [&](LawAxis axis) { return different_values(observations, axis) > 1; };
  const bool sizes = varies(LawAxis::model_size), data = varies(LawAxis::data_size);
  if (name == "auto" && sizes && data) return make_form("chinchilla");
  const LawAxis axis = data ? LawAxis::data_size : sizes ? LawAxis::model_size : LawAxis::compute;
  const FormPointer form = make_form(name == "auto" ? "floor_power" : name, axis);
  if (form->axes().size() == 1 && !varies(form->axes().front()))
    throw Error("law.form", "neither N, D nor C takes two values: there is nothing to scale with",
                "name the columns with --n-column, --d-column or --flops-column");
  return form;
}

FittedLaw fit_group(std::span<const Observation> observations, const LawRequest& request) {
  using Kind = IntervalChoice::Kind;
  const auto start = std::chrono::steady_clock::now();
  FittedLaw law;
  if (!observations.empty()) law.group = observations.front().group;
  law.problem = law_problem(observations, chosen_form(observations, request.form));
  law.fit = fit_law(law.problem, request.fit);
  if (law.fit.usable()) law.gate = identifiability(law.problem, law.fit);
  const Kind kind = request.intervals.kind;
  if (law.fit.usable() && (kind == Kind::bootstrap || kind == Kind::bootstrap_full)) {
    BootstrapOptions options;
    options.resamples = request.intervals.resamples;
    options.full = kind == Kind::bootstrap_full;
    options.seed = request.seed;
    law.resamples = bootstrap(law.problem, law.fit, options);
  }
  if (law.fit.usable() && kind == Kind::profile)
    for (size_t i = 0; i < law.problem.form->size(); ++i)
      law.profiles.push_back(profile_of(law.problem, law.fit, i));
  law.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return law;
}

std::vector<FittedLaw> fit_groups(std::span<const Observation> observations,
                                  const LawRequest& request) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<Observation>> groups;
  for (const Observation& observation : observations) {
    if (!groups.contains(observation.group)) order.push_back(observation.group);
    groups[observation.group].push_back(observation);
  }
  std::vector<FittedLaw> laws;
  for (const std::string& group : order) laws.push_back(fit_group(groups[group], request));
  return laws;
}

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
  std::vector<std::string> warnings = fit.warnings;
  warnings.insert(warnings.end(), law.problem.faults.begin(), law.problem.faults.end());
  const bool squares = std::isinf(fit.scale.delta);
  return {{"form", form.name()},
          {"formula", form.formula()},
          {"source", form.source()},
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
          {"warnings", warnings},
          {"failure", fit.usable() ? Json() : Json(fit.failure)},
          {"seconds", law.seconds}};
}

}  // namespace assay
