// assay-worker list presets: every preset with its defaults, formulas and costs, as JSON.
#include "assay/tensor/torch.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/assay-worker/listing.h"
#include "assay/objective/objective.h"
#include "assay/tensor/flops.h"

namespace assay::worker {
namespace {

using Json = nlohmann::json;

constexpr int64_t kNominalClasses = 10;

DataShape nominal_data(Modality modality) {
  DataShape data;
  data.modality = modality;
  data.factors = {{"class", kNominalClasses}};
  return data;
}

std::string describe(const ModelConfig& model, const DataShape& data) {
  const std::string trunk = fmt::format("width {}, depth {}", model.width, model.depth);
  if (data.modality == Modality::text)
    return fmt::format("{}, windows of {} bytes", trunk, data.window);
  return fmt::format("{}, images of {} px with {} classes in patches of {} px", trunk,
                     data.image_size, kNominalClasses, model.patch);
}

Node named(const std::string& preset) {
  Node table, name;
  name.value = preset;
  table.value = Node::Table{{"preset", name}};
  return table;
}

struct Nominal {
  DataShape data;
  Node resolved;
};

// A preset is of images unless one of its parts refuses them.
Nominal nominal(const std::string& name, const ModelConfig& model) {
  const DataShape images = nominal_data(Modality::image), text = nominal_data(Modality::text);
  try {
    return {images, resolve_objective(named(name), model, images)};
  } catch (const Error& error) {
    if (error.code() != "config.modality") throw;
    return {text, resolve_objective(named(name), model, text)};
  }
}

// The formula of every part of a composition, by its place, for example `pixels.corrupt.law`.
void add_formulas(Json& out, const Json& table, const std::string& slot, const std::string& place) {
  for (const PartInfo& info : part_infos())
    if (info.slot == slot && table.at("kind") == info.name) out[place] = info.formula;
  for (const auto& [key, value] : table.items())
    if (value.is_object() && value.contains("kind"))
      add_formulas(out, value, key, fmt::format("{}.{}", place, key));
}

Json formulas(const Json& composition) {
  Json out = Json::object();
  for (const auto& [term, slots] : composition.at("term").items())
    for (const auto& [slot, table] : slots.items()) {
      if (table.is_null()) continue;
      const std::string place = fmt::format("{}.{}", term, slot);
      if (table.contains("kind")) {
        add_formulas(out, table, slot, place);
        continue;
      }
      for (const auto& [name, part] : table.items())
        add_formulas(out, part, slot, fmt::format("{}.{}", place, name));
    }
  return out;
}

Json costs(Objective& objective) {
  double trunk = 0, head = 0;
  for (const auto& item : objective.named_parameters()) {
    const auto count = static_cast<double>(item.value().numel());
    if (item.key().starts_with("trunk.")) trunk += count;
    if (item.key().starts_with("head.")) head += count;
  }
  const double pass = kTrainedPass * objective.trunk().flops(objective.trunk().shape().tokens);
  return {{"flops_per_example", objective.flops_per_example()},
          {"relative_flops", objective.flops_per_example() / pass},
          {"coupled", objective.coupled()},
          {"targets_per_example", objective.expected_targets()},
          {"units", objective.units()},
          {"tokens_per_example", objective.tokens_per_example()},
          {"trunk_parameters", trunk},
          {"head_over_trunk", head / trunk}};
}

Json preset_json(const std::string& name) {
  const ModelConfig model;
  const Nominal shape = nominal(name, model);
  Json composition = to_json(shape.resolved);
  Json entry{{"name", name},
             {"summary", composition.at("summary")},
             {"source", composition.at("source")},
             {"for", describe(model, shape.data)},
             {"needs", shape.data.modality == Modality::image ? "images" : "text"},
             {"given", to_json(preset(name)).at("term")},
             {"formulas", formulas(composition)}};
  composition.erase("preset");  // what remains is the same objective without naming the preset
  entry["composition"] = std::move(composition);
  entry["costs"] = costs(*make_objective(shape.resolved, model, shape.data, Seed(0)));
  return entry;
}

}  // namespace

Json presets_json(const std::string& only) {
  Json out = Json::array();
  for (const std::string& name : preset_names())
    if (only.empty() || name == only) out.push_back(preset_json(name));
  return out;
}

}  // namespace assay::worker
