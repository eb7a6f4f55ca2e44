// Short continuations of a trial: same start, each with its own data order and draws.
#pragma once

#include "assay/measure/drive/path.h"

namespace assay::drive {

using Make = std::function<std::shared_ptr<Objective>()>;

/// What a branch trains with: the trial's own settings as a count of steps, so that the schedule
/// stays where the trial was whatever the objective costs; coupled objectives take a batch in one
/// piece.
TrainConfig branch_config(const Subject::State& start, const Objective& objective);

struct Branch {
  Subject::State end;
  std::vector<PathPart> path;  // adds up to end.averaged − start.averaged; empty unless asked for
  int64_t terms = 0;           // differentiated apart for it
};

/// `steps` more steps from `start`, which it does not change. Throws Error measure.diverged when a
/// loss is not finite.
Branch run_branch(const Make& make, const Subject::State& start, const Dataset& data, int64_t steps,
                  Seed stream, bool with_path = false);

/// Another objective on the trial's trunk: its head (and optimiser moments) trained for
/// `head_steps` at the frozen live trunk, its teachers' trunks set to the trial's averaged one.
/// Throws Error measure.trunk where the trunks differ in shape.
Subject::State adopt_trunk(Subject& subject, const Make& other, int64_t head_steps, Seed stream);

}  // namespace assay::drive
