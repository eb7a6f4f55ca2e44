// study.json and the list of trials.
#include "assay/store/study_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/core/error.h"
#include "assay/store/files.h"

namespace assay {
namespace fs = std::filesystem;
namespace {

nlohmann::json read_study_json(const fs::path& folder) {
  const fs::path path = folder / "study.json";
  if (!fs::exists(path)) {
    const bool exists = fs::is_directory(folder);
    throw Error("store.read",
                exists
                    ? fmt::format("{} is not a study folder: it has no study.json", folder.string())
                    : fmt::format("there is no folder {}", folder.string()),
                "give the folder that `assay run STUDY.toml -o DIR` wrote");
  }
  auto json = nlohmann::json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("trials") || !json["trials"].is_array()) {
    throw Error("store.corrupt", fmt::format("{} is not a resolved study", path.string()),
                "the command that made the folder (`assay run …`) writes it anew");
  }
  if (json.value("format", 0) != 1) {
    throw Error("store.format",
                fmt::format("{} has format {}, and this version reads format 1", path.string(),
                            json.contains("format") ? json["format"].dump() : "?"),
                "read it with the version of assay that wrote it");
  }
  return json;
}

void take_plan(TrialFolder& trial, const nlohmann::json& plan) {
  trial.name = plan.value("name", trial.id);
  trial.steps = plan.value("steps", int64_t{0});
  trial.flops = plan.value("flops", 0.0);
  trial.parameters = plan.value("parameters", 0.0);
  trial.trunk_parameters = plan.value("trunk_parameters", 0.0);
  // The stored config is what is trained; the plan's stands in until there is one.
  if (trial.config->empty() && plan.contains("config"))
    trial.config = std::make_shared<const nlohmann::json>(plan["config"]);
}

// Folders of trials that the study no longer names.
std::vector<fs::path> others(const fs::path& folder, const std::set<std::string>& known) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder / "trials", ignored)) {
    const std::string id = entry.path().filename().string();
    if (entry.is_directory() && !known.contains(id)) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace

StudyFolder read_study(const fs::path& folder, ReadDepth depth) {
  const nlohmann::json json = read_study_json(folder);
  StudyFolder study;
  study.folder = folder;
  study.running_on = lock_holder(folder);
  if (fs::exists(folder / "study.toml")) study.toml = read_file(folder / "study.toml");
  std::set<std::string> known;
  try {
    study.name = json.value("name", "");
    study.question = json.value("question", "");
    study.base = json.value("base", "");
    study.overrides = json.value("set", std::vector<std::string>{});
    study.warnings = json.value("warnings", std::vector<std::string>{});
    for (const nlohmann::json& plan : json["trials"]) {
      const std::string id = plan.at("id");
      known.insert(id);
      study.trials.push_back(read_trial_folder(folder / "trials" / id, depth));
      take_plan(study.trials.back(), plan);
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error("store.corrupt",
                fmt::format("{}: {}", (folder / "study.json").string(), error.what()),
                "the command that made the folder (`assay run …`) writes it anew");
  }
  for (const fs::path& path : others(folder, known)) {
    study.trials.push_back(read_trial_folder(path, depth));
    study.trials.back().in_study = false;
  }
  return study;
}

std::optional<double> last_heldout_loss(const TrialFolder& trial) {
  const Measurement* best = nullptr;
  for (const Measurement& m : trial.measurements) {
    if (m.meter != "heldout_loss" || m.quantity != "loss_per_target") continue;
    if (m.labels.contains("level") || m.labels.contains("band")) continue;
    const auto rank = [](const Measurement& one) {
      const auto weights = one.labels.find("weights");
      return std::pair(one.step, weights != one.labels.end() && weights->second == "averaged");
    };
    if (!best || rank(m) > rank(*best)) best = &m;
  }
  if (!best) return std::nullopt;
  return best->value;
}

}  // namespace assay
