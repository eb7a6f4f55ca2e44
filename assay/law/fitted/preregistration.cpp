#include "assay/law/fitted/preregistration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/core/options.h"
#include "assay/core/sha256.h"
#include "assay/law/fitted/fitted_law.h"
#include "assay/law/table/column_names.h"
#include "assay/store/files.h"

namespace assay {
namespace {

using Json = nlohmann::json;
using Texts = std::vector<std::string>;

constexpr std::pair<LawAxis, double Observation::*> kColumns[] = {
    {LawAxis::model_size, &Observation::model_size},
    {LawAxis::data_size, &Observation::data_size},
    {LawAxis::unique_data, &Observation::unique_data},
    {LawAxis::compute, &Observation::compute}};
constexpr double kSamePoint = 0.01;

std::string toml_text(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string shown(const Texts& values) {
  return values.empty() ? "nothing" : fmt::format("`{}`", fmt::join(values, "`, `"));
}

std::vector<Option> fit_declarations() {
  std::vector<Option> out;
  for (const FrozenOption& option : frozen_options())
    out.push_back(declare::any(option.key(), "as " + option.name));
  return out;
}

std::vector<Option> prediction_declarations() {
  using namespace declare;
  std::vector<Option> out;
  for (const auto& [axis, member] : kColumns)
    out.push_back(optional(real(std::string(axis_symbol(axis)), std::nullopt, above(0),
                                std::string(axis_name(axis)))));
  out.push_back(reals("interval", std::nullopt, above(0), "least and greatest loss of a new run"));
  out.push_back(optional(real("value", std::nullopt, above(0), "expected loss")));
  out.push_back(text("group", "", "objective, or curve; empty = any"));
  return out;
}

// One text, or of options that may be given several times a list of them.
Texts texts_of(const Options& fit, const FrozenOption& option) {
  const Node& node = fit.node(option.key());
  const auto wrong = [&](const Node& at) {
    return Error("config.type",
                 fmt::format("`{}` in [fit] must be text{}, not {}", option.key(),
                             option.several ? " or a list of texts" : "", at.kind()),
                 fmt::format("as {} on the command line", option.name), at.place);
  };
  if (node.is_text()) return {node.text()};
  if (!node.is_array() || !option.several) throw wrong(node);
  Texts out;
  for (const Node& item : node.array()) {
    if (!item.is_text()) throw wrong(item);
    out.push_back(item.text());
  }
  return out;
}

// Spelled in one way; throws Error for what does not exist.
std::string canonical(const FrozenOption& option, const std::string& value) {
  if (option.name == "--form" && value != "auto") make_form(value);
  if (option.name == "--loss") {
    const RobustLoss loss = parse_loss(value);
    return fmt::format("{} {}", static_cast<int>(loss.kind), loss.delta);
  }
  if (option.name == "--ci") {
    const IntervalChoice choice = parse_interval_choice(value);
    return fmt::format("{} {}", static_cast<int>(choice.kind), choice.resamples);
  }
  const auto among = [&](const Texts& known) {
    if (std::ranges::find(known, value) == known.end())
      throw Error("usage.value", fmt::format("there is no {} `{}`", option.name.substr(2), value),
                  suggest(value, known));
  };
  if (option.name == "--holdout") among({"none", "rolling"});
  if (option.name == "--share") among({"none", "exponents"});
  return value;
}

void read_settings(const Options& fit, Preregistration& out) {
  for (const FrozenOption& option : frozen_options()) {
    out.settings[option.name] = option.fallback;
    if (!fit.has(option.key())) continue;
    const Place place = fit.node(option.key()).place;
    out.settings[option.name] = texts_of(fit, option);
    out.places[option.name] = place;
    try {
      for (const std::string& value : out.settings[option.name]) canonical(option, value);
    } catch (const Error& error) {
      throw Error("config.value", error.what(), error.help(), place);
    }
  }
}

FrozenPrediction read_prediction(const Node& node) {
  const Options given(node, prediction_declarations(), "prediction");
  FrozenPrediction out;
  out.point.group = given.text("group");
  for (const auto& [axis, member] : kColumns)
    if (const std::string symbol(axis_symbol(axis)); given.has(symbol))
      out.point.*member = given.real(symbol);
  if (out.at().empty())
    throw Error("config.missing_key", "a [[prediction]] names no point", "give N and D, or C",
                node.place);
  const std::vector<double> limits = given.reals("interval");
  if (limits.size() != 2 || !(limits[0] < limits[1]))
    throw given.error("interval", "config.range",
                      "`interval` is not two losses, the smaller first");
  out.interval = {limits[0], limits[1]};
  if (given.has("value")) out.value = given.real("value");
  if (given.has("value") && !(limits[0] <= out.value && out.value <= limits[1]))
    throw given.error("value", "config.range", "`value` lies outside its own `interval`");
  return out;
}

bool same_point(const FrozenPrediction& prediction, const Observation& row) {
  if (!prediction.point.group.empty() && prediction.point.group != row.group) return false;
  return std::ranges::all_of(kColumns, [&](const auto& column) {
    const double asked = prediction.point.*(column.second), has = row.*(column.second);
    return std::isnan(asked) || std::fabs(std::log(has / asked)) <= kSamePoint;
  });
}

Json known(double value) { return std::isnan(value) ? Json() : Json(value); }

}  // namespace

std::string FrozenOption::key() const {
  std::string out = name.substr(2);
  std::ranges::replace(out, '-', '_');
  return out;
}

const std::vector<FrozenOption>& frozen_options() {
  static const std::vector<FrozenOption> options = [] {
    std::vector<FrozenOption> out = {
        {"--form", false, {"auto"}},         {"--loss", false, {"huber:auto"}},
        {"--ci", false, {"bootstrap:4000"}}, {"--holdout", false, {"none"}},
        {"--share", false, {"none"}},        {"--where", true, {}}};
    for (const RoleNames& role : roles()) out.push_back({std::string(role.option), true, {}});
    out.push_back({"--n-definition", false, {}});
    out.push_back({"--loss-unit", false, {}});
    return out;
  }();
  return options;
}

bool same_setting(const FrozenOption& option, const Texts& one, const Texts& other) {
  const auto sorted = [&](const Texts& values) {
    Texts out;
    for (const std::string& value : values) out.push_back(canonical(option, value));
    std::ranges::sort(out);
    return out;
  };
  return sorted(one) == sorted(other);
}

std::string FrozenPrediction::at() const {
  std::string out;
  for (const auto& [axis, member] : kColumns)
    if (const double asked = point.*member; !std::isnan(asked))
      out += fmt::format("{}{}={:g}", out.empty() ? "" : ",", axis_symbol(axis), asked);
  return out;
}

Preregistration read_preregistration(const std::string& path) {
  const std::string text = read_file(path);
  Preregistration out;
  out.path = path;
  out.sha256 = sha256_text(text);
  const Options file(
      parse_toml(text, path),
      {declare::integer("format", std::nullopt, declare::closed(1, 1), "version of this file"),
       declare::text("name", "", "what is tested"), declare::any("fit", "frozen options"),
       declare::any("prediction", "losses foretold")},
      "");
  out.name = file.text("name");
  read_settings(Options(file.has("fit") ? file.node("fit") : Node{}, fit_declarations(), "fit"),
                out);
  if (!file.has("prediction")) return out;
  const Node& predictions = file.node("prediction");
  if (!predictions.is_array())
    throw Error("config.type", "`prediction` must be a list of tables",
                "write each one under [[prediction]]", predictions.place);
  for (const Node& node : predictions.array()) out.predictions.push_back(read_prediction(node));
  return out;
}

void check_against(const Preregistration& file, const FrozenOption& option, const Texts& given) {
  const Texts& frozen = file.settings.at(option.name);
  if (same_setting(option, frozen, given)) return;
  const auto place = file.places.find(option.name);
  throw Error(
      "usage.preregistered",
      fmt::format("`{} {}` contradicts {}, which {} {} = {}", option.name, fmt::join(given, " "),
                  file.path, place == file.places.end() ? "leaves" : "froze", option.key(),
                  shown(frozen)),
      "leave the option out, or fit without --preregistered and say so",
      place == file.places.end() ? Place{} : place->second);
}

std::string preregistration_text(const std::map<std::string, Texts>& settings) {
  std::string out =
      "# What `assay fit TABLE --preregistered FILE` will do, decided beforehand. Publish the\n"
      "# file's sha256sum before the runs that test it.\n"
      "format = 1\n\n[fit]\n";
  for (const FrozenOption& option : frozen_options()) {
    const Texts& values = settings.at(option.name);
    if (values.empty()) continue;
    Texts quoted;
    for (const std::string& value : values) quoted.push_back(toml_text(value));
    out += option.several ? fmt::format("{} = [{}]\n", option.key(), fmt::join(quoted, ", "))
                          : fmt::format("{} = {}\n", option.key(), quoted.front());
  }
  return out;
}

std::string prediction_text(const FrozenPrediction& prediction) {
  std::string out = "\n[[prediction]]\n";
  for (const auto& [axis, member] : kColumns)
    if (const double value = prediction.point.*member; !std::isnan(value))
      out += fmt::format("{} = {:.10g}\n", axis_symbol(axis), value);
  if (!prediction.point.group.empty())
    out += fmt::format("group = {}\n", toml_text(prediction.point.group));
  if (!std::isnan(prediction.value)) out += fmt::format("value = {:.6g}\n", prediction.value);
  return out + fmt::format("interval = [{:.6g}, {:.6g}]\n", prediction.interval.low,
                           prediction.interval.high);
}

std::vector<TestedPrediction> test_predictions(const Preregistration& file,
                                               std::span<const Observation> rows) {
  std::vector<TestedPrediction> out;
  for (const FrozenPrediction& prediction : file.predictions) {
    TestedPrediction tested{prediction, 0, 0, Observation::kUnknown};
    double sum = 0;
    for (const Observation& row : rows) {
      if (row.status != ObservationStatus::measured || !same_point(prediction, row)) continue;
      ++tested.rows;
      tested.inside += prediction.interval.low <= row.loss && row.loss <= prediction.interval.high;
      sum += std::log(prediction.value / row.loss);
    }
    if (tested.rows > 0) tested.mean_log_error = sum / static_cast<double>(tested.rows);
    out.push_back(tested);
  }
  return out;
}

nlohmann::json to_json(const Preregistration& file, const std::vector<TestedPrediction>& tested) {
  Json predictions = Json::array();
  for (const TestedPrediction& of : tested)
    predictions.push_back({{"at", of.prediction.at()},
                           {"group", of.prediction.point.group},
                           {"interval", {of.prediction.interval.low, of.prediction.interval.high}},
                           {"value", known(of.prediction.value)},
                           {"rows", of.rows},
                           {"inside", of.inside},
                           {"mean_log_error", known(of.mean_log_error)}});
  return {{"file", file.path},
          {"name", file.name},
          {"sha256", file.sha256},
          {"predictions", predictions}};
}

}  // namespace assay
