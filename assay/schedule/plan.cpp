// Asks the worker to resolve a study; writes study.json, study.toml and each trial's config.json.
#include "assay/schedule/plan.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "assay/core/error.h"
#include "assay/schedule/worker_process.h"
#include "assay/store/files.h"
#include "assay/store/study_folder.h"

namespace assay {
namespace fs = std::filesystem;
namespace {

void write_if_changed(const fs::path& path, const std::string& bytes) {
  if (!fs::exists(path) || read_file(path) != bytes) write_atomically(path, bytes);
}

std::string text_of(const nlohmann::json& json) { return json.dump(2) + "\n"; }

// "3 trials" or "1 trial".
std::string trials(size_t count) { return fmt::format("{} trial{}", count, count == 1 ? "" : "s"); }

// A config that differs under an equal id differs only in what to measure (the id leaves that out).
bool write_config(const fs::path& folder, const nlohmann::json& config) {
  const fs::path path = folder / "config.json";
  if (!fs::exists(path)) {
    fs::create_directories(folder);
    write_atomically(path, text_of(config));
    return true;
  }
  return read_file(path) == text_of(config);
}

}  // namespace

double Plan::flops() const {
  double sum = 0;
  for (const PlannedTrial& trial : trials) sum += trial.flops;
  return sum;
}

Plan plan_from_json(const std::string& text) {
  auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    throw Error("environment.worker", "assay-worker resolve gave no answer",
                "its own words stand above; `assay doctor` checks the installation");
  }
  if (json.contains("error")) throw error_from_json(json["error"]);
  Plan plan;
  try {
    plan.name = json.at("name");
    plan.question = json.value("question", "");
    plan.base = json.at("base");
    plan.toml = json.at("toml");
    plan.warnings = json.value("warnings", std::vector<std::string>{});
    for (const auto& trial : json.at("trials")) {
      static_cast<void>(trial.at("config"));
      plan.trials.push_back({trial.at("id"), trial.at("name"), trial.at("steps"), trial.at("flops"),
                             trial.at("parameters")});
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(
        "environment.worker",
        fmt::format("assay-worker resolve gave an answer of another form: {}", error.what()),
        "`assay` and `assay-worker` are of different builds: build both anew");
  }
  plan.json = std::make_shared<const nlohmann::json>(std::move(json));
  return plan;
}

Plan plan_study(const fs::path& worker, const std::string& study,
                const std::vector<std::string>& assignments) {
  std::vector<std::string> arguments{"resolve", study};
  for (const std::string& assignment : assignments) {
    arguments.emplace_back("--set");
    arguments.push_back(assignment);
  }
  return plan_from_json(capture(worker, arguments).output);
}

std::vector<std::string> write_plan(const fs::path& folder, const Plan& plan,
                                    const std::vector<std::string>& assignments) {
  std::vector<std::string> notes;
  const bool existed = fs::exists(folder / "study.json");
  fs::create_directories(folder / "trials");
  size_t added = 0, replanned = 0, left = 0;
  std::set<std::string> ids;
  for (const auto& trial : plan.json->at("trials")) {
    const std::string id = trial.at("id");
    ids.insert(id);
    const fs::path path = folder / "trials" / id;
    if (!fs::exists(path / "config.json")) ++added;
    if (!write_config(path, trial.at("config"))) ++replanned;
  }
  for (const auto& entry : fs::directory_iterator(folder / "trials"))
    if (!ids.contains(entry.path().filename().string())) ++left;

  nlohmann::json json = *plan.json;
  json.erase("toml");
  json["set"] = assignments;
  write_if_changed(folder / "study.toml", plan.toml);
  write_if_changed(folder / "study.json", text_of(json));

  if (existed && added)
    notes.push_back(fmt::format("{} added to {}", trials(added), folder.string()));
  if (left) {
    notes.push_back(fmt::format("{} in {} no longer in the study: kept, but not run", trials(left),
                                folder.string()));
  }
  if (replanned) {
    notes.push_back(fmt::format("{} keep the measuring plan they began with", trials(replanned)));
  }
  return notes;
}

int64_t forget_failures(const fs::path& folder, const Plan& plan) {
  int64_t count = 0;
  for (const PlannedTrial& trial : plan.trials) {
    const fs::path path = folder / "trials" / trial.id;
    if (read_trial_folder(path, ReadDepth::progress).status != "failed") continue;
    fs::remove(path / "outcome.json");
    ++count;
  }
  return count;
}

}  // namespace assay
