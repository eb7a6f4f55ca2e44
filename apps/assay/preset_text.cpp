// A resolved preset as TOML with comments.
#include "apps/assay/preset_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace assay::cli {
namespace {

using Json = nlohmann::json;

constexpr const char* kSlots[] = {"views",  "corrupt", "predict",   "target",
                                  "metric", "weight",  "regularise"};

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

std::string costs_text(const Json& costs) {
  std::vector<std::string> targets;
  for (const auto& [term, count] : costs.at("targets_per_example").items()) {
    const std::string unit = costs.at("units").at(term);
    targets.push_back(fmt::format("{} {:.6g}{}", term, count.get<double>(),
                                  unit == "1" ? "" : fmt::format(" ({})", unit)));
  }
  return fmt::format(
      "#   FLOPs per example: {:.3g} = {:.3g} forward-backward passes of the trunk over all "
      "tokens\n"
      "#   targets per example: {}\n"
      "#   couples the examples of a batch: {}\n"
      "#   parameters of the head over those of the trunk: {:.3g}\n",
      costs.at("flops_per_example").get<double>(), costs.at("relative_flops").get<double>(),
      joined(targets), costs.at("coupled").get<bool>() ? "yes" : "no",
      costs.at("head_over_trunk").get<double>());
}

// Formulas of a slot and of the parts nested in it, as comments.
std::string formula_lines(const Json& formulas, const std::string& place) {
  std::string text;
  for (const auto& [key, formula] : formulas.items()) {
    if (key != place && !key.starts_with(place + ".")) continue;
    const std::string nested = key.substr(place.size());
    text += fmt::format("# {}{}{}\n", nested.empty() ? "" : nested.substr(1),
                        nested.empty() ? "" : ": ", formula.get<std::string>());
  }
  return text;
}

}  // namespace

std::string toml_value(const Json& value) {
  std::vector<std::string> items;
  if (value.is_array()) {
    for (const Json& item : value) items.push_back(toml_value(item));
    return fmt::format("[{}]", joined(items));
  }
  if (!value.is_object()) return value.dump();
  if (value.contains("kind")) items.push_back("kind = " + value.at("kind").dump());
  for (const auto& [key, item] : value.items())
    if (key != "kind" && !item.is_null())
      items.push_back(fmt::format("{} = {}", key, toml_value(item)));
  return items.empty() ? "{}" : fmt::format("{{ {} }}", joined(items));
}

std::string preset_text(const Json& preset) {
  const Json& composition = preset.at("composition");
  std::string text =
      fmt::format("# {}, resolved for {}:\n{}", preset.at("name").get<std::string>(),
                  preset.at("for").get<std::string>(), costs_text(preset.at("costs")));
  text += fmt::format("summary = {}\nsource = {}\n", composition.at("summary").dump(),
                      composition.at("source").dump());
  for (const auto& [key, value] : composition.items())
    if (key != "summary" && key != "source" && key != "term" && !value.is_null())
      text += fmt::format("{} = {}\n", key, toml_value(value));
  for (const auto& [term, slots] : composition.at("term").items()) {
    text += fmt::format("\n[term.{}]\n", term);
    for (const char* slot : kSlots) {
      const auto part = slots.find(slot);
      if (part == slots.end() || part->is_null()) continue;
      text += formula_lines(preset.at("formulas"), fmt::format("{}.{}", term, slot));
      text += fmt::format("{} = {}\n", slot, toml_value(*part));
    }
  }
  return text;
}

}  // namespace assay::cli
