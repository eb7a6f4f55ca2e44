// Rows and JSON of trials.
#include "apps/assay/trial_table.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/assay/console.h"

namespace assay::cli {
namespace {

std::optional<double> last_loss(const TrialFolder& trial) {
  if (trial.losses.empty() || !std::isfinite(trial.losses.back().loss)) return std::nullopt;
  return trial.losses.back().loss;
}

std::string steps_text(const TrialFolder& trial) {
  return trial.steps > 0 ? fmt::format("{}/{}", trial.step, trial.steps)
                         : fmt::format("{}", trial.step);
}

nlohmann::json number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

}  // namespace

std::string trial_table(const StudyFolder& study) {
  std::vector<std::vector<std::string>> rows{
      {"trial", "status", ">steps", ">training loss", ">held-out loss", ">time"}};
  for (const TrialFolder& trial : study.trials) {
    rows.push_back(
        {trial.name, trial.in_study ? trial.status : trial.status + " (not in the study)",
         steps_text(trial), loss_text(last_loss(trial)), loss_text(last_heldout_loss(trial)),
         trial.seconds > 0 ? duration_text(trial.seconds) : "–"});
  }
  return table(rows);
}

nlohmann::json trial_json(const TrialFolder& trial) {
  return {{"id", trial.id},
          {"name", trial.name},
          {"status", trial.status},
          {"in_study", trial.in_study},
          {"reason", reason_of(trial)},
          {"step", trial.step},
          {"steps", trial.steps},
          {"flops", trial.flops},
          {"loss", number(last_loss(trial))},
          {"heldout_loss", number(last_heldout_loss(trial))},
          {"seconds", trial.seconds},
          {"problems", trial.problems}};
}

std::string reason_of(const TrialFolder& trial) {
  return trial.outcome ? trial.outcome->reason : std::string();
}

}  // namespace assay::cli
