// Subcommands of `assay-worker measure`: each measures one trained trial and answers in JSON.
#pragma once

#include "apps/assay-worker/worker.h"
#include "assay/measure/snr_measurement.h"
#include "assay/study/trial_subject.h"

namespace assay::worker {

/// Options that all of them have.
struct TrialArguments {
  std::string trial, base, at;

  void declare(CLI::App& command);
  OpenTrial open() const { return open_trial(trial, base); }
  bool all_steps() const { return at == "all"; }
  /// None for the last. Throws Error usage.step unless --at is empty, "all" or a number.
  std::optional<int64_t> step() const;
};

/// The block that SNR and exported gradients have in common.
struct BlockArguments {
  int64_t units = SnrPlan{}.units, examples = SnrPlan{}.examples_per_unit, draws = SnrPlan{}.draws;

  void declare(CLI::App& command);
  /// Without levels and bands. Throws Error usage.plan for too few units or draws.
  SnrPlan plan(int64_t fewest_draws) const;
};

/// averaged | live. Throws Error usage.unknown_name.
Weights weights_named(const std::string& name);

void add_measure_snr(CLI::App& measure, Command& run);
void add_measure_difference(CLI::App& measure, Command& run);
void add_measure_drive(CLI::App& measure, Command& run);
void add_measure_gradients(CLI::App& measure, Command& run);

}  // namespace assay::worker
