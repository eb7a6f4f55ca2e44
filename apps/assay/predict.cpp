// assay predict LAW.json --at N=1e8,D=2e9: what a stored law says of runs that nobody has made.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/assay/command.h"
#include "apps/assay/console.h"
#include "apps/assay/law_text.h"
#include "assay/core/error.h"
#include "assay/law/fitted/law_prediction.h"
#include "assay/law/fitted/preregistration.h"

namespace assay::cli {
namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string file, group;
  std::vector<std::string> points;
  bool freeze = false;
};

bool told(const LawLimits& limits) {
  return std::isfinite(limits.low) && std::isfinite(limits.high);
}

Json limits_json(const LawLimits& limits) {
  return told(limits) ? Json{limits.low, limits.high} : Json();
}

Json optimal_json(const std::optional<AllocationIntervals>& optimal) {
  if (!optimal) return nullptr;
  return {{"N", optimal->value.model_size},
          {"N_interval", limits_json(optimal->model_size)},
          {"D", optimal->value.data_size},
          {"D_interval", limits_json(optimal->data_size)}};
}

Json point_json(const std::string& asked, const PointPrediction& found) {
  Json point = Json::object(), by_column = Json::object();
  for (const auto& [axis, beyond] : found.by_column) {
    point[std::string(axis_symbol(axis))] = value_on(found.point, axis);
    by_column[std::string(axis_symbol(axis))] = beyond;
  }
  return {{"at", asked},
          {"point", point},
          {"value", found.prediction.value},
          {"interval", limits_json(found.prediction.law)},
          {"run_interval", limits_json(found.prediction.run)},
          {"optimal", optimal_json(found.optimal)},
          {"decades_beyond", found.decades_beyond},
          {"decades_beyond_by_column", by_column},
          {"warnings", found.warnings}};
}

Json document(const StoredLaw& law, const Arguments& arguments,
              const std::vector<PointPrediction>& found) {
  Json out{{"format", kLawFormat},
           {"law", arguments.file},
           {"group", law.group},
           {"form", law.form->name()},
           {"formula", law.form->formula()},
           {"identifiable", law.identifiable},
           {"loss_unit", law.loss_unit},
           {"predictions", Json::array()}};
  for (size_t i = 0; i < found.size(); ++i)
    out["predictions"].push_back(point_json(arguments.points[i], found[i]));
  return out;
}

std::string beyond_text(const PointPrediction& found) {
  if (found.decades_beyond <= 0) return "within";
  std::string columns;
  for (const auto& [axis, beyond] : found.by_column)
    if (beyond != 0) columns += fmt::format(", {} {:+.2f}", axis_symbol(axis), beyond);
  return fmt::format("{:.2f} decades{}", found.decades_beyond, columns);
}

std::string text_of(const StoredLaw& law, const Arguments& arguments,
                    const std::vector<PointPrediction>& found) {
  std::string text = law.group.empty() ? "" : law.group + "\n";
  text += fmt::format("{}: {}, fitted to {}\n", law.form->name(), law.form->formula(),
                      plural(law.rows, "row"));
  const bool unit = !law.loss_unit.empty() && law.loss_unit != "unknown";
  std::vector<std::vector<std::string>> rows{{"at", unit ? ">loss, " + law.loss_unit : ">loss",
                                              ">95% of the law", ">95% of a new run",
                                              "beyond the fitted runs"}};
  for (size_t i = 0; i < found.size(); ++i)
    rows.push_back({arguments.points[i], fmt::format("{:.5g}", found[i].prediction.value),
                    limits_text(found[i].prediction.law), limits_text(found[i].prediction.run),
                    beyond_text(found[i])});
  text += table(rows);
  for (size_t i = 0; i < found.size(); ++i)
    if (const auto& optimal = found[i].optimal)
      text += fmt::format("{}: compute-optimal N* = {:.4g} ({}), D* = {:.4g} ({})\n",
                          arguments.points[i], optimal->value.model_size,
                          limits_text(optimal->model_size), optimal->value.data_size,
                          limits_text(optimal->data_size));
  return text;
}

// [[prediction]] entries of a pre-registration file.
std::string frozen_text(const StoredLaw& law, const std::vector<PointPrediction>& found) {
  std::string text;
  for (const PointPrediction& at : found) {
    if (!told(at.prediction.run))
      throw Error("law.no_interval", "a loss cannot be foretold without its interval",
                  "fit the law with --ci bootstrap:4000");
    FrozenPrediction frozen{at.point, at.prediction.run, at.prediction.value};
    frozen.point.group = law.group;
    text += prediction_text(frozen);
  }
  return text;
}

int predict(const Arguments& arguments, const Globals& globals) {
  std::vector<Observation> points;
  for (const std::string& point : arguments.points) points.push_back(parse_point(point));
  const std::vector<StoredLaw> laws = read_law_file(arguments.file);
  const StoredLaw& law = law_of_group(laws, arguments.group);
  std::vector<PointPrediction> found;
  for (const Observation& point : points) found.push_back(predict_at(law, point));
  if (arguments.freeze && globals.json)
    throw Error("usage.freeze",
                "--freeze prints entries of a TOML file, and --json one JSON document",
                "leave one of them out");
  if (arguments.freeze) {
    std::printf("%s", frozen_text(law, found).c_str());
    return 0;
  }
  if (globals.json) {
    print_json(document(law, arguments, found));
    return 0;
  }
  std::printf("%s", text_of(law, arguments, found).c_str());
  std::fflush(stdout);
  if (!globals.quiet)
    for (size_t i = 0; i < found.size(); ++i)
      for (const std::string& warning : found[i].warnings)
        warn(arguments.points[i] + ": " + warning, globals.color);
  return 0;
}

}  // namespace

void add_predict(CLI::App& app, const Globals& globals, Command& run) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "predict",
      "What a law stored by `assay fit -o` says of given sizes: its value, the 95% interval of "
      "the\n"
      "law, and the 95% interval of a loss measured there. C alone stands for the compute-optimal\n"
      "N and D of that many FLOPs.");
  command->add_option("LAW", arguments->file, "File that `assay fit TABLE -o FILE` has written")
      ->required();
  command
      ->add_option("--at", arguments->points,
                   "Point: N=1e8,D=2e9, or C=1e20 for compute-optimal sizes (repeatable)")
      ->required()
      ->allow_extra_args(false);
  command->add_option("--group", arguments->group, "Which law, where the file holds several");
  command->add_flag("--freeze", arguments->freeze,
                    "Print [[prediction]] entries for a pre-registration file instead");
  command->footer(
      "Example: assay fit runs.csv -o law.json && assay predict law.json --at N=1e9,D=2e10 --at "
      "C=1e21");
  command->callback([arguments, &globals, &run] {
    run = [arguments, &globals] { return predict(*arguments, globals); };
  });
}

}  // namespace assay::cli
