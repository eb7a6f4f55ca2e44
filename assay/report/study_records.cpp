// From the study folder (assay/store) to the records that the report compares.
#include "assay/report/study_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "assay/core/error.h"
#include "assay/store/study_folder.h"

namespace assay::report {
namespace {

using Json = nlohmann::json;

/// Leaves of a JSON document by dotted path; arrays stay on one line.
void flatten(const Json& json, const std::string& path, std::map<std::string, std::string>& out) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items())
      flatten(value, path.empty() ? key : fmt::format("{}.{}", path, key), out);
  } else if (!json.is_null()) {
    out[path] = json.is_string() ? json.get<std::string>()
                                 : json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
}

std::string text_at(const std::map<std::string, std::string>& leaves, const std::string& path) {
  const auto it = leaves.find(path);
  return it == leaves.end() ? "" : it->second;
}

int64_t integer_at(const std::map<std::string, std::string>& leaves, const std::string& path) {
  const std::string text = text_at(leaves, path);
  return text.empty() ? 0 : static_cast<int64_t>(std::strtod(text.c_str(), nullptr));
}

void name_parts(Trial& trial) {
  trial.objective = text_at(trial.settings, "objective.name");
  trial.preset = text_at(trial.settings, "objective.preset");
  if (trial.objective.empty()) trial.objective = trial.preset.empty() ? trial.name : trial.preset;
  trial.data = text_at(trial.settings, "data.name");
  trial.data_kind = text_at(trial.settings, "data.kind");
  trial.width = integer_at(trial.settings, "model.width");
  trial.depth = integer_at(trial.settings, "model.depth");
  trial.seed = integer_at(trial.settings, "train.seed");
}

void name_status(const TrialFolder& folder, Trial& trial) {
  if (folder.status == "waiting") {
    trial.status = "missing";
    trial.reason = "not started, or its folder is not here";
  } else if (folder.status == "running" || folder.status == "stopped") {
    trial.status = "unfinished";
    trial.reason = fmt::format("no outcome yet; reached step {} of {}", folder.step, folder.steps);
  } else {
    trial.status = folder.status;
    if (folder.outcome) trial.reason = folder.outcome->reason;
  }
}

Trial trial_of(TrialFolder&& folder) {
  Trial trial{.id = folder.id, .name = folder.name.empty() ? folder.id : folder.name};
  flatten(*folder.config, "", trial.settings);
  flatten(*folder.environment, "", trial.environment);
  name_parts(trial);
  name_status(folder, trial);
  trial.planned_steps = folder.steps;
  trial.planned_flops = folder.flops;
  trial.parameters = folder.parameters;
  trial.last_step = folder.step;
  trial.measurements = std::move(folder.measurements);
  for (size_t i = 0; i < trial.measurements.size(); ++i) {
    const Measurement& m = trial.measurements[i];
    trial.by_quantity[fmt::format("{}/{}", m.meter, m.quantity)].push_back(i);
  }
  trial.notes = std::move(folder.notes);
  trial.ledger = folder.ledger;
  if (folder.seconds > 0) trial.seconds = folder.seconds;
  trial.damage = std::move(folder.problems);
  return trial;
}

/// Of outcomes that some objective's trials give a law of.
std::vector<OutcomeLaws> laws_of(const StudyFolder& folder) {
  LawRequest request;
  request.intervals.resamples = 2000;
  request.holdout = true;
  try {
    std::vector<OutcomeLaws> laws = fit_study_laws(folder, "all", request);
    std::erase_if(laws, [](const OutcomeLaws& of) {
      return std::ranges::none_of(of.laws, [](const FittedLaw& law) { return law.fit.usable(); });
    });
    return laws;
  } catch (const Error& error) {
    // Most studies compare objectives at one size: no law is asked of them.
    if (error.code() == "law.form" || error.code() == "law.no_outcome" ||
        error.code() == "usage.factor")
      return {};
    throw;
  }
}

}  // namespace

StudyRecords read_study_records(const std::filesystem::path& study) {
  StudyFolder folder = read_study(study, ReadDepth::full);
  StudyRecords records{.name = folder.name,
                       .question = folder.question,
                       .toml = folder.toml,
                       .overrides = folder.overrides,
                       .warnings = folder.warnings,
                       .laws = laws_of(folder)};
  for (TrialFolder& trial : folder.trials) {
    if (trial.in_study) {
      records.trials.push_back(trial_of(std::move(trial)));
    } else {
      records.strangers.push_back(trial.id);
    }
  }
  return records;
}

}  // namespace assay::report
