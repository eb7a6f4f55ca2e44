// A law with everything that is said of it: what `assay fit` prints and stores.
#include "assay/law/fitted/fitted_law.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <map>

#include "assay/core/error.h"
#include "assay/core/parallel.h"

namespace assay {
namespace {

constexpr int kFewestResamples = 100, kMostResamples = 1'000'000;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

bool takes_two_values(std::span<const Observation> observations, LawAxis axis) {
  double first = Observation::kUnknown;
  for (const Observation& observation : observations) {
    const double value = value_on(observation, axis);
    if (!std::isfinite(value)) continue;
    if (std::isfinite(first) && value != first) return true;
    first = value;
  }
  return false;
}

std::optional<ProfileInterval> profile_of(const LawProblem& problem, const LawFit& fit,
                                          size_t parameter) {
  const std::string& name = problem.form->parameters()[parameter].name;
  if (parameter < problem.form->coefficients() && name != "E") return std::nullopt;
  return profile_interval(problem, fit, name);
}

/// Hold-outs of the form, or with "auto" of its rivals; the form to be fitted.
FormPointer judged_form(std::span<const Observation> observations, const LawRequest& request,
                        const FormPointer& form, FittedLaw& law) {
  const HoldoutOptions options{.loss = request.fit.loss, .seed = request.seed};
  std::vector<FormPointer> rivals = {form};
  if (request.form == "auto" && form->name() == "chinchilla")
    for (const char* name : {"tied", "outer"}) rivals.push_back(make_form(name));
  if (request.form == "auto" && form->name() == "floor_power")
    rivals.push_back(make_form("power", form->axes().front()));
  std::vector<Holdout> holdouts;
  for (const FormPointer& rival : rivals) holdouts.push_back(holdout(observations, rival, options));
  size_t chosen = 0;
  if (rivals.size() > 1) {
    law.choice = choose_form(observations, holdouts, request.seed);
    for (size_t i = 0; i < rivals.size(); ++i)
      if (rivals[i]->name() == law.choice->chosen) chosen = i;
  }
  law.held_out = holdouts[chosen];
  return rivals[chosen];
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
  const auto varies = [&](LawAxis axis) { return takes_two_values(observations, axis); };
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
  FormPointer form = chosen_form(observations, request.form);
  if (request.holdout) form = judged_form(observations, request, form, law);
  law.problem = law_problem(observations, form, request.checked);
  const auto search = std::chrono::steady_clock::now();
  law.fit = fit_law(law.problem, request.fit);
  law.search_seconds = seconds_since(search);
  if (law.fit.usable()) law.gate = identifiability(law.problem, law.fit);
  if (law.identifiable()) law.influence = influence(law.problem, law.fit, observations);
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
  law.structural =
      structural_bits(law.problem, law.fit, law.identifiable(),
                      law.resamples ? &*law.resamples : nullptr, observations, request.units);
  law.seconds = seconds_since(start);
  return law;
}

std::vector<FittedLaw> fit_groups(std::span<const Observation> observations,
                                  const LawRequest& request) {
  const auto same = [&](const Observation& row) { return row.group == observations[0].group; };
  if (std::ranges::all_of(observations, same)) return {fit_group(observations, request)};
  std::vector<std::string> order;
  std::map<std::string, std::vector<Observation>> groups;
  for (const Observation& observation : observations) {
    if (!groups.contains(observation.group)) order.push_back(observation.group);
    groups[observation.group].push_back(observation);
  }
  std::vector<FittedLaw> laws(order.size());
  in_parallel(hardware_threads(), std::ssize(order), [&](int64_t i) {
    const auto k = static_cast<size_t>(i);
    laws[k] = fit_group(groups.at(order[k]), request);
  });
  return laws;
}

}  // namespace assay
