#include "apps/assay/plan_text.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/assay/console.h"

namespace assay::cli {
namespace {

using Json = nlohmann::json;

std::string error_text(double value) {
  return std::isfinite(value) ? fmt::format("{:.2g}", value) : "–";
}

std::string hours_text(double hours) { return duration_text(hours * 3600); }

std::string head_text(const PlanView& view) {
  const LawGuess& guess = view.request.guess;
  const DesignModel model(guess, view.request.region);
  std::string text = fmt::format("{}, {}:", guess.form->formula(), view.guess_source);
  for (const ExponentError& exponent : view.plan.precision.exponents)
    text += fmt::format(" {} {:.3g},", exponent.name, exponent.value);
  const SweepPoint centre = view.request.region.centre();
  text += fmt::format(" E {:.0f}% of the loss at N = {}, D = {}; σ = {:.2g} of log loss\n",
                      100 * model.floor_share(), count_text(centre.model_size),
                      count_text(centre.data_size), view.request.sigma);
  if (view.shape)
    text += fmt::format(
        "sizes rounded to widths that are multiples of {} and of {} heads, with N = 12 · {} · "
        "width²; data to batches of {}\n",
        StudyShape::kWidthStep, view.shape->heads, view.shape->depth, StudyShape::kBatch);
  return text;
}

std::string runs_text(const PlanView& view) {
  std::vector<std::vector<std::string>> rows{
      {">N", ">D", ">seeds", ">FLOPs a run", ">a run takes"}};
  if (view.shape) rows[0].insert(rows[0].begin() + 1, ">width");
  for (const SweepPoint& point : view.plan.sweep) {
    rows.push_back({count_text(point.model_size), count_text(point.data_size),
                    fmt::format("{}", point.runs), flops_text(view.request.cost.flops(point)),
                    duration_text(view.request.cost.seconds(point))});
    if (view.shape)
      rows.back().insert(rows.back().begin() + 1,
                         fmt::format("{}", view.shape->width(point.model_size)));
  }
  return table(rows);
}

std::string errors_text(const PlanView& view) {
  const SweepPrecision& precision = view.plan.precision;
  std::vector<std::vector<std::string>> rows{
      {"", ">guess", ">standard error", ">95%", ">with E known", ">difference found"}};
  const auto row = [&](const std::string& name, const std::string& value, double error,
                       const std::string& known) {
    rows.push_back({name, value, error_text(error),
                    "±" + error_text(precision.interval_factor() * error), known,
                    error_text(detectable_difference(error, view.correlation))});
  };
  for (const ExponentError& exponent : precision.exponents)
    row(exponent.name, fmt::format("{:.3g}", exponent.value), exponent.standard_error,
        precision.floor_relative ? error_text(exponent.floor_known) : "–");
  if (precision.allocation) row("a in N* ∝ C^a", "", *precision.allocation, "");
  const std::vector<LawAxis>& axes = view.request.guess.form->axes();
  std::string text = table(rows);
  text += fmt::format(
      "log loss ten times beyond the largest {}: ±{}; difference found: between two objectives, "
      "with 80% power at .05{}\n",
      axes.size() > 1 ? "N and D" : axis_symbol(axes.front()),
      error_text(precision.interval_factor() * precision.beyond),
      view.correlation == 0 ? std::string(", independent runs")
                            : fmt::format(", noise correlated {:.2g}", view.correlation));
  if (precision.floor_relative)
    text +=
        fmt::format("E: standard error {:.2g}% of its value\n", 100 * *precision.floor_relative);
  return text;
}

std::string cost_text(const PlanView& view) {
  const RunCost& cost = view.request.cost;
  std::string text = fmt::format(
      "{}: {} at {}, {} FLOPs ({:g} N D a run), {} on {} at {:g} GFLOP/s\n",
      kind_name(view.request.kind), plural(view.plan.precision.runs, "run"),
      plural(std::ssize(view.plan.sweep), "point"), flops_text(view.plan.flops), cost.flops_per,
      hours_text(view.plan.hours), plural(cost.workers, "worker"), cost.rate / 1e9);
  if (!view.plan.affordable)
    text += fmt::format("that is more than the {} given\n", hours_text(*view.request.hours));
  if (view.plan.grid_efficiency)
    text +=
        fmt::format("{:.3g} times as efficient as the 5 × 5 grid of these ranges at equal cost\n",
                    *view.plan.grid_efficiency);
  if (view.plan.efficiency_bound && *view.plan.efficiency_bound > 0.995)
    text += "no other sweep on these candidates within these limits is better\n";
  else if (view.plan.efficiency_bound)
    text += fmt::format(
        "no other sweep on these candidates within these limits is better by more than "
        "{:.3g} times\n",
        1 / *view.plan.efficiency_bound);
  return text;
}

std::string every(const std::string& target) {
  return target == "exponents" ? "every exponent" : target;
}

std::string wanted(const SweepTarget& target) {
  return target.standard_error ? fmt::format("a standard error of {:.2g}", *target.standard_error)
                               : fmt::format("±{:.2g} at 95%", *target.half_width);
}

std::string target_text(const PlanView& view) {
  const SweepTarget& target = view.request.target;
  if (!target.given()) return "";
  if (view.plan.reached && view.plan.affordable)
    return fmt::format("reaches {} of {}\n", wanted(target), every(target.of));
  std::string text = fmt::format(
      "does NOT reach {} of {}{}; any one of these would:\n", wanted(target), every(target.of),
      view.request.hours ? " within these ranges and hours" : " within these ranges");
  for (const SweepLever& remedy : view.plan.remedies)
    text += fmt::format("- {}{}\n", remedy.change,
                        std::isnan(remedy.hours) ? "" : ": " + hours_text(remedy.hours));
  return text;
}

Json levers_json(const std::vector<SweepLever>& levers) {
  Json out = Json::array();
  for (const SweepLever& lever : levers)
    out.push_back({{"change", lever.change},
                   {"standard_error", lever.standard_error},
                   {"compute", std::isnan(lever.compute) ? Json() : Json(lever.compute)},
                   {"hours", std::isnan(lever.hours) ? Json() : Json(lever.hours)}});
  return out;
}

template <typename Value>
Json optional_json(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

Json exponents_json(const PlanView& view) {
  const SweepPrecision& precision = view.plan.precision;
  Json out = Json::object();
  for (const ExponentError& exponent : precision.exponents) {
    const double half = precision.half_width(exponent.name);
    out[exponent.name] = {{"guess", exponent.value},
                          {"standard_error", exponent.standard_error},
                          {"half_width", std::isfinite(half) ? Json(half) : Json()},
                          {"standard_error_floor_known", exponent.floor_known},
                          {"detectable_difference",
                           detectable_difference(exponent.standard_error, view.correlation)}};
  }
  return out;
}

}  // namespace

std::string_view kind_name(SweepKind kind) {
  return kind == SweepKind::grid ? "grid" : kind == SweepKind::isoflop ? "isoflop" : "optimal";
}

std::string plan_text(const PlanView& view) {
  return head_text(view) + "\n" + runs_text(view) + "\n" + errors_text(view) + "\n" +
         cost_text(view) + target_text(view) + view.plan.limit + "\n";
}

nlohmann::json plan_json(const PlanView& view) {
  const SweepRequest& request = view.request;
  const SweepPlan& plan = view.plan;
  Json runs = Json::array(), guess = Json::object();
  for (const SweepPoint& point : plan.sweep) {
    runs.push_back({{"model_size", point.model_size},
                    {"data_size", point.data_size},
                    {"seeds", point.runs},
                    {"flops", request.cost.flops(point)},
                    {"seconds", request.cost.seconds(point)}});
    if (view.shape) runs.back()["width"] = view.shape->width(point.model_size);
  }
  for (std::size_t i = 0; i < request.guess.form->size(); ++i)
    guess[request.guess.form->parameters()[i].name] = request.guess.parameters[i];
  return {{"format", 1},
          {"form", request.guess.form->name()},
          {"guess", guess},
          {"guess_source", view.guess_source},
          {"sigma", request.sigma},
          {"design", kind_name(request.kind)},
          {"runs", runs},
          {"trials", plan.precision.runs},
          {"exponents", exponents_json(view)},
          {"allocation_standard_error", optional_json(plan.precision.allocation)},
          {"floor_relative_standard_error", optional_json(plan.precision.floor_relative)},
          {"log_loss_standard_error_beyond", plan.precision.beyond},
          {"condition_number", plan.precision.condition_number},
          {"flops", plan.flops},
          {"flops_per", request.cost.flops_per},
          {"workers", request.cost.workers},
          {"hours", plan.hours},
          {"affordable", plan.affordable},
          {"target",
           {{"of", request.target.of},
            {"standard_error", optional_json(request.target.standard_error)},
            {"half_width", optional_json(request.target.half_width)},
            {"reached", request.target.given() ? Json(plan.reached) : Json()}}},
          {"efficiency_bound", optional_json(plan.efficiency_bound)},
          {"grid_efficiency", optional_json(plan.grid_efficiency)},
          {"levers", levers_json(plan.levers)},
          {"remedies", levers_json(plan.remedies)},
          {"limit", plan.limit}};
}

}  // namespace assay::cli
