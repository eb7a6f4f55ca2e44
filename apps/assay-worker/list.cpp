// assay-worker list parts|presets|datasets|meters [NAME]: what is registered, as JSON.
#include "assay/tensor/torch.h"

#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/assay-worker/listing.h"
#include "apps/assay-worker/worker.h"
#include "assay/measure/meter.h"
#include "assay/objective/objective.h"

namespace assay::worker {
using Json = nlohmann::json;

Json options_json(const std::vector<Option>& options) {
  Json out = Json::array();
  for (const Option& option : options) {
    Json entry{{"name", option.name}, {"type", option.type_name()}, {"help", option.help}};
    if (!option.fallback.is_null()) entry["default"] = to_json(option.fallback);
    if (option.fallback.is_null() && !option.optional && option.type != Option::Type::table)
      entry["required"] = true;
    const std::string range = option.range.describe();
    if (range != "a number") entry["range"] = range;
    if (!option.fields.empty()) entry["options"] = options_json(option.fields);
    out.push_back(std::move(entry));
  }
  return out;
}

namespace {

template <typename Entry>
Json entries(const std::vector<Entry>& table, const std::string& only) {
  Json out = Json::array();
  for (const Entry& entry : table)
    if (only.empty() || entry.name == only)
      out.push_back({{"name", entry.name},
                     {"summary", entry.summary},
                     {"options", options_json(entry.options)}});
  return out;
}

Json listing(const std::string& what, const std::string& only) {
  if (what == "presets") return presets_json(only);
  if (what == "parts") return parts_json(only);
  if (what == "datasets") return entries(dataset_entries(), only);
  return entries(meter_entries(), only);
}

std::vector<std::string> names_in(const Json& list) {
  std::vector<std::string> names;
  for (const Json& entry : list) names.push_back(entry.at("name"));
  return names;
}

}  // namespace

void add_list(CLI::App& app, Command& run) {
  struct Arguments {
    std::string what, name;
    bool json = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("list", "what is registered, as JSON");
  command->add_option("what", arguments->what, "parts | presets | datasets | meters")
      ->required()
      ->check(CLI::IsMember({"parts", "presets", "datasets", "meters"}));
  command->add_option("name", arguments->name, "only this one, in full");
  command->add_flag("--json", arguments->json, "the only form there is");
  command->callback([arguments, &run] {
    run = [arguments] {
      const Json found = listing(arguments->what, arguments->name);
      if (found.empty())
        throw Error("usage.unknown_name",
                    fmt::format("no `{}` among the {}", arguments->name, arguments->what),
                    suggest(arguments->name, names_in(listing(arguments->what, ""))));
      std::cout << found.dump(1) << '\n';
      return 0;
    };
  });
}

}  // namespace assay::worker
