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
constexpr double kTellFailed = 0.1;  // share of the resamples
/// Of equal noise and 25 rows the ratio scatters by about a quarter.
constexpr double kTellScatter = 1.75;
constexpr double kTellRepeated = 0.1;  // share of the rows
constexpr double kRounding = 1e-3;  // within which values of a column are one: C/(6 N) is rounded

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

bool takes_two_values(std::span<const Observation> observations, LawAxis axis) {
  double first = Observation::kUnknown;
  for (const Observation& observation : observations) {
    const double value = value_on(observation, axis);
    if (!std::isfinite(value)) continue;
    if (std::isfinite(first) && std::fabs(value / first - 1) > kRounding) return true;
    if (!std::isfinite(first)) first = value;
  }
  return false;
}

/// Where data were seen several times and the form knows only how many there were.
std::string repeated_data(std::span<const Observation> observations, const Form& form) {
  if (!form.has(LawAxis::data_size) || form.has(LawAxis::unique_data)) return {};
  double rows = 0, repeated = 0;
  for (const Observation& row : observations) {
    if (row.status == ObservationStatus::diverged) continue;
    ++rows;
    repeated += row.data_size > 1.01 * row.unique_data;
  }
  if (repeated <= kTellRepeated * rows) return {};
  return fmt::format(
      "in {:.0f} of {:.0f} rows data were seen several times (D is above U), which {} takes for "
      "new data: --form repetition knows of it",
      repeated, rows, form.name());
}

void warn_of_resamples(FittedLaw& law) {
  const LawBootstrap& resamples = *law.resamples;
  if (!resamples.failure.empty())
    law.fit.warnings.push_back("no intervals: " + resamples.failure);
  else if (resamples.failed > kTellFailed * (resamples.kept + resamples.failed))
    law.fit.warnings.push_back(
        fmt::format("{} of {} resamples left too few different design points, or did not converge, "
                    "and have no part in the intervals, which are rather too narrow",
                    resamples.failed, resamples.kept + resamples.failed));
}

void profile(FittedLaw& law) {
  const Form& form = *law.problem.form;
  const std::vector<double> scatter = linear_errors(law.problem, law.fit).scatter;
  for (size_t i = 0; i < form.size(); ++i) {
    law.profiles.emplace_back();
    if (!has_profile(form, i)) continue;
    law.profiles.back() = profile_interval(law.problem, law.fit, form.parameters()[i].name);
    if (law.profiles.back()->lower_minimum)
      law.fit.warnings.push_back("the profile of " + form.parameters()[i].name +
                                 " met a lower minimum: the fit is not the global one");
    if (scatter[i] > kTellScatter)
      law.fit.warnings.push_back(fmt::format(
          "the rows that tell {} scatter {:.2g} times as much as all do: its profile, which takes "
          "noise as equal, is too narrow by about that; --ci bootstrap does not",
          form.parameters()[i].name, scatter[i]));
  }
}

/// Hold-outs of the form, or with "auto" of its rivals; the form to be fitted, which is `form`
/// where there are too few rows to choose by.
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
  if (rivals.size() > 1 && comparable(holdouts)) {
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
    throw Error("usage.interval", fmt::format("there are no intervals by `{}`", text),
                suggest(name, {"bootstrap", "bootstrap-full", "profile", "none"}));
  if (colon == std::string::npos) return choice;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, choice.resamples);
  const bool resampled = choice.kind == Kind::bootstrap || choice.kind == Kind::bootstrap_full;
  if (!resampled)
    throw Error("usage.interval", fmt::format("`{}`: {} takes no number", text, name),
                fmt::format("write {}, or bootstrap:4000", name));
  if (read.ec != std::errc() || read.ptr != end)
    throw Error("usage.interval", fmt::format("`{}` does not say how many resamples", text),
                "write a whole number, such as bootstrap:4000");
  if (choice.resamples < kFewestResamples || choice.resamples > kMostResamples)
    throw Error("usage.interval",
                fmt::format("`{}`: {} to {} resamples are possible", text, kFewestResamples,
                            kMostResamples),
                "percentiles need some, and 4000 know them to 1% of an interval's width");
  return choice;
}

std::optional<LawLimits> FittedLaw::interval(size_t parameter) const {
  if (!profiles.empty()) {
    if (!profiles[parameter]) return std::nullopt;
    const ProfileInterval& found = *profiles[parameter];
    const double bound = problem.form->parameters()[parameter].low;
    // A floor of zero is a limit; the ends of the range in which others are sought are not.
    const bool low_open = found.low_open && !(bound == 0);
    return LawLimits{low_open ? -INFINITY : found.limits.low,
                     found.high_open ? INFINITY : found.limits.high};
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
                "give runs of several sizes or data budgets; in a table name their columns with "
                "--n-column, --d-column or --flops-column");
  return form;
}

namespace {

FittedLaw fit_form(std::span<const Observation> observations, FormPointer form,
                   const LawRequest& request) {
  using Kind = IntervalChoice::Kind;
  const auto start = std::chrono::steady_clock::now();
  FittedLaw law;
  if (!observations.empty()) law.group = observations.front().group;
  if (request.holdout) form = judged_form(observations, request, form, law);
  law.problem = law_problem(observations, form, request.checked);
  law.flops_per = flops_per(observations);
  const auto search = std::chrono::steady_clock::now();
  law.fit = fit_law(law.problem, request.fit);
  law.search_seconds = seconds_since(search);
  if (law.fit.usable()) law.gate = identifiability(law.problem, law.fit);
  if (law.identifiable()) law.influence = influence(law.problem, law.fit, observations);
  if (request.holdout && request.form == "auto" && !law.choice)
    law.fit.warnings.push_back("too few rows to choose the form by hold-out: " + form->name() +
                               " is the default");
  const Kind kind = request.intervals.kind;
  if (law.fit.usable() && (kind == Kind::bootstrap || kind == Kind::bootstrap_full)) {
    BootstrapOptions options;
    options.resamples = request.intervals.resamples;
    options.full = kind == Kind::bootstrap_full;
    options.seed = request.seed;
    law.resamples = bootstrap(law.problem, law.fit, options);
    warn_of_resamples(law);
  }
  if (law.fit.usable() && kind == Kind::profile) profile(law);
  law.structural =
      structural_bits(law.problem, law.fit, law.identifiable(),
                      law.resamples ? &*law.resamples : nullptr, observations, request.units);
  if (std::string repeated = repeated_data(observations, *form); !repeated.empty())
    law.fit.warnings.push_back(std::move(repeated));
  law.seconds = seconds_since(start);
  return law;
}

// A group along whose columns nothing varies takes the form of the others: its law then says what
// is missing.
FittedLaw fit_one_of(std::span<const Observation> observations, const FormPointer& of_all,
                     const LawRequest& request) {
  try {
    return fit_group(observations, request);
  } catch (const Error& error) {
    if (error.code() != "law.form") throw;
  }
  LawRequest plain = request;
  plain.holdout = false;
  return fit_form(observations, of_all, plain);
}

}  // namespace

FittedLaw fit_group(std::span<const Observation> observations, const LawRequest& request) {
  return fit_form(observations, chosen_form(observations, request.form), request);
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
  const FormPointer of_all = chosen_form(observations, request.form);
  std::vector<FittedLaw> laws(order.size());
  in_parallel(hardware_threads(), std::ssize(order), [&](int64_t i) {
    const auto k = static_cast<size_t>(i);
    laws[k] = fit_one_of(groups.at(order[k]), of_all, request);
  });
  return laws;
}

}  // namespace assay
