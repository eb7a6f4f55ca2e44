// assay measure drive: branches of a trained trial.
#include "assay/tensor/torch.h"

#include "assay/study/measure_drive.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "assay/study/measured_step.h"
#include "assay/train/snapshot.h"

namespace assay {
namespace {

using Json = nlohmann::json;

/// The last snapshot that leaves room for a branch.
int64_t last_with_room(const OpenTrial& trial, int64_t branch_steps) {
  const int64_t run = steps_of(trial.config.train, trial.make()->flops_per_example());
  int64_t found = -1;
  for (const int64_t step : snapshot_steps(trial.folder))
    if (step + branch_steps <= run) found = step;
  if (found < 0)
    throw Error("measure.branches",
                fmt::format("`{}` has no snapshot with {} steps of its {} left after it",
                            trial.config.name, branch_steps, run),
                "take fewer --steps, or measure at more fractions of the budget (measure.at)");
  return found;
}

std::optional<OtherObjective> other_objective(const OpenTrial& trial, const std::string& preset) {
  if (preset.empty()) return std::nullopt;
  const ResolvedTrial& config = trial.config;
  Node table;
  table.value = Node::Table{};
  table.table()["preset"].value = preset;
  const Node resolved = resolve_objective(table, config.model, config.shape);
  const Seed init = Seed(config.train.seed).child("initialisation");
  return OtherObjective{preset, [resolved, &config, init] {
                          return make_objective(resolved, config.model, config.shape, init);
                        }};
}

}  // namespace

nlohmann::json measure_drive(const OpenTrial& trial, const DriveRequest& request) {
  const int64_t step = request.step ? *request.step : last_with_room(trial, request.plan.steps);
  Subject subject = subject_at(trial, step);
  const auto records =
      measure_drive(subject, request.plan, other_objective(trial, request.objective));
  const Json cost{{"kind", "measuring"},
                  {"command", "drive"},
                  {"step", step},
                  {"branches", request.plan.branches},
                  {"branch_steps", request.plan.steps},
                  {"objective", request.objective},
                  {"measuring_flops", subject.flops_spent}};
  return measured_answer(trial, Json::array({record_step(trial, subject, records, {cost})}));
}

}  // namespace assay
