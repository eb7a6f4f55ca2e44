// assay list KIND [NAME]: what a study can name.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/assay/command.h"
#include "apps/assay/console.h"
#include "apps/assay/preset_text.h"
#include "apps/assay/worker_answer.h"
#include "assay/core/error.h"
#include "assay/core/node.h"
#include "assay/schedule/worker_process.h"

namespace assay::cli {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

std::string text_at(const Node& study, const char* key) {
  const Node* table = study.find("study");
  const Node* value = table ? table->find(key) : nullptr;
  return value && value->is_text() ? value->text() : std::string();
}

Json studies(const std::string& only) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(ASSAY_STUDIES_DIR, ignored))
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  std::ranges::sort(files);
  Json out = Json::array();
  std::vector<std::string> names;
  for (const fs::path& file : files) {
    names.push_back(file.stem().string());
    if (!only.empty() && names.back() != only) continue;
    const Node study = read_toml(file.string());
    out.push_back(
        {{"name", names.back()}, {"summary", text_at(study, "question")}, {"file", file.string()}});
    if (!only.empty()) out.back()["toml"] = study.place.source ? study.place.source->text : "";
  }
  if (!only.empty() && out.empty()) {
    throw Error("usage.unknown_name", fmt::format("no `{}` among the studies", only),
                suggest(only, names));
  }
  return out;
}

std::string type_text(const Json& option) {
  const std::string type = option.value("type", ""), range = option.value("range", "");
  return range.empty() ? type : fmt::format("{} {}", type, range);
}

std::string default_text(const Json& option) {
  if (option.value("required", false)) return "required";
  const auto it = option.find("default");
  return it == option.end() || it->is_null() ? "–" : toml_value(*it);
}

void add_options(std::vector<std::vector<std::string>>& rows, const Json& options,
                 const std::string& prefix) {
  for (const Json& option : options) {
    const std::string name = prefix + option.value("name", "");
    rows.push_back(
        {"  " + name, type_text(option), default_text(option), option.value("help", "")});
    if (option.contains("options")) add_options(rows, option["options"], name + ".");
  }
}

std::string option_table(const Json& options) {
  std::vector<std::vector<std::string>> rows{{"  option", "type", "default", "meaning"}};
  add_options(rows, options, "");
  return rows.size() > 1 ? table(rows) : "  no options\n";
}

std::string in_full(const Json& entry) {
  if (entry.contains("composition")) return preset_text(entry);
  std::string text = fmt::format("{}: {}\n", entry.value("name", ""), entry.value("summary", ""));
  for (const char* key : {"slot", "needs", "formula", "source", "file"})
    if (entry.contains(key) && entry[key].is_string() && entry[key] != "")
      text += fmt::format("  {}: {}\n", key, entry[key].get<std::string>());
  if (entry.contains("options")) text += option_table(entry["options"]);
  if (entry.contains("toml")) text += "\n" + entry["toml"].get<std::string>();
  return text;
}

std::string parts_overview(const Json& list) {
  std::string text, slot;
  std::vector<std::vector<std::string>> rows;
  for (const Json& entry : list) {
    if (entry.value("slot", "") != slot) {
      text += table(rows);
      rows.clear();
      slot = entry.value("slot", "");
      text += fmt::format("{}{}: {}\n", text.empty() ? "" : "\n", slot,
                          entry.value("slot_summary", ""));
    }
    rows.push_back({"  " + entry.value("name", ""), entry.value("summary", "")});
  }
  return text + table(rows);
}

std::string overview(const Json& list) {
  if (!list.empty() && list[0].contains("slot")) return parts_overview(list);
  const bool costs = !list.empty() && list[0].contains("costs");
  std::vector<std::vector<std::string>> rows{{"name", "summary"}};
  if (costs) rows[0].insert(rows[0].begin() + 1, {"data", ">passes"});
  for (const Json& entry : list) {
    rows.push_back({entry.value("name", ""), entry.value("summary", "")});
    if (costs)
      rows.back().insert(rows.back().begin() + 1,
                         {entry.value("needs", ""),
                          fmt::format("{:.2f}", entry["costs"].value("relative_flops", 0.0))});
  }
  std::string text = table(rows);
  if (costs)
    text +=
        "\npasses: FLOPs per example over one forward-backward pass of the trunk on all tokens\n";
  return text;
}

int list(const std::string& kind, const std::string& name, const Globals& globals) {
  Json found;
  if (kind == "studies") {
    found = studies(name);
  } else {
    std::vector<std::string> arguments{"list", kind};
    if (!name.empty()) arguments.push_back(name);
    arguments.emplace_back("--json");
    found = worker_answer(find_worker(), arguments);
  }
  if (globals.json) {
    print_json(found);
    return 0;
  }
  std::string text;
  if (name.empty()) text = overview(found);
  for (const Json& entry : found)
    if (!name.empty()) text += (text.empty() ? "" : "\n") + in_full(entry);
  std::fputs(text.c_str(), stdout);
  if (name.empty() && !globals.quiet)
    std::printf("\n`assay list %s NAME` shows one in full.\n",
                kind == "parts" ? "parts SLOT` or `assay list parts" : kind.c_str());
  return 0;
}

}  // namespace

void add_list(CLI::App& app, const Globals& globals, Command& run) {
  struct Arguments {
    std::string kind, name;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("list", "What a study can name, with every option and its default");
  command
      ->add_option(
          "KIND", arguments->kind,
          "studies, presets, parts, datasets or meters; before a NAME also preset, part, …")
      ->required();
  command->add_option("NAME", arguments->name, "Only this one, in full; of parts also a slot");
  command->footer("Example: assay list preset mae");
  command->callback([arguments, &globals, &run] {
    run = [arguments, &globals] {
      const std::vector<std::string> kinds{"studies", "presets", "parts", "datasets", "meters"};
      // `assay list preset mae` reads better than `assay list presets mae`.
      if (!arguments->name.empty())
        for (const std::string& kind : kinds)
          if (arguments->kind == (kind == "studies" ? "study" : kind.substr(0, kind.size() - 1)))
            arguments->kind = kind;
      if (std::ranges::find(kinds, arguments->kind) == kinds.end()) {
        throw Error("usage.unknown_name", fmt::format("cannot list `{}`", arguments->kind),
                    suggest(arguments->kind, kinds));
      }
      return list(arguments->kind, arguments->name, globals);
    };
  });
}

}  // namespace assay::cli
