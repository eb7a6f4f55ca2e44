// Short continuations of a trial.
#include "assay/tensor/torch.h"

#include "assay/measure/drive/branch.h"

#include <fmt/format.h>

#include <cmath>

namespace assay::drive {
namespace {

constexpr std::string_view kTrunk = "trunk.";

/// The range of the trunk in the flat buffers: it stands first.
int64_t trunk_end(const FlatParameters& flat) {
  for (const Group& group : flat.groups())
    if (group.name == "trunk") return group.end;
  throw Error("measure.trunk", "the objective has no trunk");
}

void require_same_trunk(const FlatParameters& own, const FlatParameters& other) {
  const auto end = trunk_end(own);
  bool same = end == trunk_end(other);
  for (size_t i = 0; same && i < own.entries().size() && own.entries()[i].end <= end; ++i)
    same = own.entries()[i].name == other.entries()[i].name &&
           own.entries()[i].shape == other.entries()[i].shape;
  if (!same)
    throw Error("measure.trunk", "the other objective's trunk has other parameters",
                "branch into an objective on the same data and [model]");
}

/// Teachers that hold a trunk get the trial's averaged one, by the names of its parameters.
void set_teacher_trunks(Objective& objective, const FlatParameters& flat, const Tensor& averaged) {
  for (auto& [name, tensor] : objective.state()) {
    const size_t at = name.rfind(kTrunk);
    if (at == std::string::npos) continue;
    for (const auto& entry : flat.entries())
      if (entry.name == name.substr(at) && tensor.sizes() == at::IntArrayRef(entry.shape))
        Tensor(tensor).copy_(averaged.slice(0, entry.begin, entry.end).view(entry.shape));
  }
}

TrainConfig with_steps(const Subject::State& start, const Objective& objective, int64_t steps) {
  TrainConfig config = start.train;
  config.budget_flops = 0;
  config.budget_examples = 0;
  config.budget_steps = steps;
  if (objective.coupled()) config.microbatch = config.batch;
  return config;
}

}  // namespace

TrainConfig branch_config(const Subject::State& start, const Objective& objective) {
  return with_steps(start, objective, start.steps);
}

Branch run_branch(const Make& make, const Subject::State& start, const Dataset& data, int64_t steps,
                  Seed stream, bool with_path) {
  const auto objective = make();
  Stepper stepper(objective, branch_config(start, *objective), data, stream);
  stepper.restore(start);
  objective->train();
  std::optional<PathByTerm> path;
  if (with_path) path.emplace(stepper);
  for (int64_t k = 0; k < steps; ++k) {
    const Stepper::Result result = stepper.step(start.step + k, nullptr, path ? &*path : nullptr);
    if (!std::isfinite(result.loss) || !std::isfinite(result.gradient_norm))
      throw Error("measure.diverged",
                  fmt::format("a branch diverged {} steps after step {}", k + 1, start.step),
                  "branch from another step, or lower the learning rate of the trial");
  }
  Branch branch{stepper.state(start.step + steps), {}, 0};
  branch.end.ledger = start.ledger;
  if (path) {
    branch.path = path->parts();
    branch.terms = path->terms() == 1 ? 0 : path->terms();
  }
  return branch;
}

Subject::State adopt_trunk(Subject& subject, const Make& other, int64_t head_steps, Seed stream) {
  const Subject::State& trial = subject.state();
  const auto objective = other();
  Stepper stepper(objective, with_steps(trial, *objective, std::max<int64_t>(1, head_steps)),
                  subject.train(), stream);
  require_same_trunk(subject.parameters(), stepper.flat());
  const int64_t end = trunk_end(stepper.flat());
  const Tensor live = trial.live.slice(0, 0, end), averaged = trial.averaged.slice(0, 0, end);
  torch::NoGradGuard no_grad;
  Tensor trunk = stepper.flat().values().slice(0, 0, end);
  trunk.copy_(live);
  set_teacher_trunks(*objective, stepper.flat(), trial.averaged);
  objective->train();
  for (int64_t k = 0; k < head_steps; ++k) {
    const torch::AutoGradMode with_gradient(true);
    stepper.step(k);
    const torch::NoGradGuard still;
    trunk.copy_(live);
  }
  Subject::State state = stepper.state(trial.step);
  state.averaged.slice(0, 0, end).copy_(averaged);
  state.train = branch_config(trial, *objective);
  state.steps = trial.steps;
  state.fraction = trial.fraction;
  state.ledger = trial.ledger;
  return state;
}

}  // namespace assay::drive
