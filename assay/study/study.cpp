// From a study file to its trials: grid, defaults, static checks, ids.
#include "assay/study/study.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/core/hash.h"
#include "assay/study/grid.h"
#include "assay/study/measure_table.h"
#include "assay/study/schema.h"
#include "assay/train/flat_parameters.h"

namespace assay {
namespace {

using Json = nlohmann::json;

/// What an [[objective]] table says besides its composition.
struct ObjectiveTable {
  std::string name;
  std::optional<std::string> data;
  Node composition, model, train;
};

ObjectiveTable split_objective(Node table) {
  ObjectiveTable out;
  const auto take = [&](const char* key) {
    Node taken;
    if (const Node* found = table.find(key)) {
      taken = *found;
      table.table().erase(key);
    }
    return taken;
  };
  const auto take_text = [&](const char* key) -> std::optional<std::string> {
    const Node node = take(key);
    if (node.is_null()) return std::nullopt;
    if (!node.is_text())
      throw Error("config.type",
                  fmt::format("`{}` in [[objective]] must be text, not {}", key, node.kind()), {},
                  node.place);
    return node.text();
  };
  out.data = take_text("data");
  out.model = take("model");
  out.train = take("train");
  const auto name = take_text("name");
  const Node* preset = table.find("preset");
  out.name = name ? *name : preset && preset->is_text() ? preset->text() : "objective";
  out.composition = std::move(table);
  return out;
}

Node overlaid(const Node& base, const Node& overlay) {
  return overlay.is_null() ? base : merge(base, overlay);
}

/// The dataset an objective trains on: the one it names, or the only one of its modality.
std::string choose_data(const ObjectiveTable& objective, const Node& model,
                        const std::map<std::string, DataTable>& tables, Node* resolved) {
  const ModelConfig config = model_config(Options(model, model_options(), "model"));
  const auto resolve_on = [&](const std::string& name) {
    *resolved = resolve_objective(objective.composition, config, tables.at(name).shape);
    return name;
  };
  if (objective.data) {
    if (tables.contains(*objective.data)) return resolve_on(*objective.data);
    std::vector<std::string> names;
    for (const auto& [name, table] : tables) names.push_back(name);
    throw Error("config.unknown_data",
                fmt::format("objective `{}` wants data `{}`, which the study does not define",
                            objective.name, *objective.data),
                suggest(*objective.data, names), objective.composition.place);
  }
  std::vector<std::string> fitting;
  std::optional<Error> refusal;
  for (const auto& [name, table] : tables) {
    try {
      fitting.push_back(resolve_on(name));
    } catch (const Error& error) {
      if (error.code() != "config.modality") throw;
      refusal = error;
    }
  }
  if (fitting.empty()) throw *refusal;
  if (fitting.size() > 1)
    throw Error("config.ambiguous_data",
                fmt::format("objective `{}` could train on {}", objective.name,
                            fmt::format("{}", fmt::join(fitting, " or "))),
                fmt::format("say which: data = \"{}\"", fitting.front()),
                objective.composition.place);
  return resolve_on(fitting.front());
}

/// Of what determines training; where decoded images are cached does not.
std::string id_of(Json determines) {
  determines["data"].erase("cache_dir");
  determines["data"].erase("cache_mb");
  return hash_text(determines.dump());
}

struct Builder {
  const StudySchema& schema;
  Study& study;
  std::set<std::string> ids, names;

  void add(const ObjectiveTable& objective, const Node& model, Node train,
           const std::vector<std::string>& labels) {
    Node composition;
    const std::string data = choose_data(objective, model, schema.data, &composition);
    const Options model_table(model, model_options(), "model");
    const ModelConfig model_settings = model_config(model_table);
    const DataTable& data_table = schema.data.at(data);

    const auto built = make_objective(composition, model_settings, data_table.shape, Seed(0));
    if (built->coupled() && train.is_table() && !train.find("microbatch"))
      train.table()["microbatch"].value =
          train_config(Options(train, train_options(), "train")).batch;
    const Options train_table(train, train_options(), "train");
    const TrainConfig train_settings = train_config(train_table);
    if (built->coupled() && train_settings.microbatch != train_settings.batch)
      throw Error(
          "config.coupled",
          fmt::format("objective `{}` couples the examples of a batch, so its microbatch must "
                      "be the batch ({})",
                      objective.name, train_settings.batch),
          fmt::format("leave train.microbatch out, or set it to {} for this objective",
                      train_settings.batch),
          train.place);
    if (!built->coupled() && train_settings.batch / train_settings.microbatch < 2)
      throw Error("config.microbatch",
                  fmt::format("batch {} in one microbatch gives no gradient noise to measure",
                              train_settings.batch),
                  "leave microbatch out to use batch / 8", train.place);

    Trial trial;
    trial.name = objective.name;
    for (const std::string& label : labels) trial.name += "/" + label;
    Json config{{"format", 1},
                {"objective", to_json(composition)},
                {"data", to_json(data_table.effective)},
                {"model", to_json(model_table.effective())},
                {"train", to_json(train_table.effective())}};
    trial.id = id_of(config);
    config["data"]["name"] = data;
    config["name"] = trial.name;
    config["objective"]["name"] = objective.name;
    config["measure"] = to_json(schema.measure);
    config["run"] = to_json(schema.run);
    trial.config = config.dump(1);
    trial.flops_per_step = built->flops_per_example() * static_cast<double>(train_settings.batch);
    trial.steps = steps_of(train_settings, built->flops_per_example());
    trial.flops = trial.flops_per_step * static_cast<double>(trial.steps);
    for (const auto& [name, parameter] : trained_parameters(*built))
      (name.starts_with("trunk.") ? trial.trunk_parameters : trial.parameters) += parameter.numel();
    trial.parameters += trial.trunk_parameters;
    if (!ids.insert(trial.id).second || !names.insert(trial.name).second)
      throw Error(
          "config.duplicate_trial", fmt::format("trial `{}` stands twice in the study", trial.name),
          "give the second [[objective]] another `name` or remove it", objective.composition.place);
    study.trials.push_back(std::move(trial));
  }
};

void warn(Study& study, const StudySchema& schema) {
  const Node* seeds = schema.train.find("seed");
  const size_t count = seeds && seeds->is_array() ? seeds->array().size() : 1;
  if (count < 3)
    study.warnings.push_back(fmt::format(
        "{} seed{}: differences between objectives need at least 3 (train.seed = [0, 1, 2])", count,
        count == 1 ? "" : "s"));
  for (const Trial& trial : study.trials)
    if (trial.steps < 100)
      study.warnings.push_back(
          fmt::format("{} has only {} steps: its averaged weights and its "
                      "second moments rest on few gradients",
                      trial.name, trial.steps));
}

}  // namespace

Study resolve_study(const std::string& path, const std::vector<std::string>& assignments) {
  Node root = read_toml(path);
  Study study;
  study.toml = root.place.source ? root.place.source->text : "";
  study.assignments = assignments;
  study.base = std::filesystem::absolute(path).lexically_normal().parent_path().string();
  for (const std::string& assignment : assignments) assign(root, assignment);

  const StudySchema schema = read_schema(root, study.base);
  study.name = schema.name;
  study.question = schema.question;
  Builder builder{schema, study, {}, {}};
  for (const Node& table : schema.objectives) {
    for (const GridPoint& objective : expand(table, {"term", "regularise"})) {
      const ObjectiveTable split = split_objective(objective.table);
      for (const GridPoint& model : expand(overlaid(schema.model, split.model))) {
        for (const GridPoint& train : expand(overlaid(schema.train, split.train))) {
          std::vector<std::string> labels = objective.labels;
          labels.insert(labels.end(), model.labels.begin(), model.labels.end());
          labels.insert(labels.end(), train.labels.begin(), train.labels.end());
          builder.add(split, model.table, train.table, labels);
        }
      }
    }
  }
  warn(study, schema);
  return study;
}

nlohmann::json to_json(const Study& study) {
  Json trials = Json::array();
  for (const Trial& trial : study.trials)
    trials.push_back({{"id", trial.id},
                      {"name", trial.name},
                      {"config", Json::parse(trial.config)},
                      {"steps", trial.steps},
                      {"flops", trial.flops},
                      {"flops_per_step", trial.flops_per_step},
                      {"parameters", trial.parameters},
                      {"trunk_parameters", trial.trunk_parameters}});
  return {{"format", 1},        {"name", study.name},        {"question", study.question},
          {"base", study.base}, {"toml", study.toml},        {"set", study.assignments},
          {"trials", trials},   {"warnings", study.warnings}};
}

ResolvedTrial read_trial(const Node& config, const std::string& base) {
  ResolvedTrial trial;
  trial.name = config.find("name")->text();
  trial.objective = *config.find("objective");
  trial.objective.table().erase("name");
  trial.data = *config.find("data");
  trial.data.table().erase("name");
  trial.model = model_config(Options(*config.find("model"), model_options(), "model"));
  trial.train = train_config(Options(*config.find("train"), train_options(), "train"));
  trial.shape = read_data_table(trial.data, "data", base).shape;
  const Options run(*config.find("run"), run_options(), "run");
  trial.checkpoint_seconds = run.real("checkpoint_seconds");
  trial.time_limit_seconds = run.real("time_limit_seconds");
  MeasureTable measure = read_measure(*config.find("measure"));
  trial.fractions = std::move(measure.fractions);
  trial.meters = std::move(measure.meters);
  return trial;
}

}  // namespace assay
