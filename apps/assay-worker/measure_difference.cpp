// assay-worker measure difference: two trials on the same examples and draws.
#include "assay/tensor/torch.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/assay-worker/measure.h"
#include "assay/study/measure_difference.h"

namespace assay::worker {
namespace {

std::optional<int64_t> step_of(const TrialArguments& trial) {
  if (trial.all_steps())
    throw Error("usage.step", "a difference is between two steps, not all",
                "give the step of a snapshot, or none for the last");
  return trial.step();
}

}  // namespace

void add_measure_difference(CLI::App& measure, Command& run) {
  struct Arguments {
    TrialArguments first;
    BlockArguments block;
    std::string with, with_base, with_at, weights = "averaged";
    int64_t memory_mb = SnrPlan{}.max_memory_mb;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = measure.add_subcommand("difference", "two trials on the same examples");
  arguments->first.declare(*command);
  arguments->block.declare(*command);
  command->add_option("--with", arguments->with, "folder of the second trial")->required();
  command->add_option("--with-base", arguments->with_base, "its data paths")->required();
  command->add_option("--with-at", arguments->with_at, "step of its snapshot; empty = the last");
  command->add_option("--weights", arguments->weights, "averaged | live");
  command->add_option("--memory-mb", arguments->memory_mb, "MiB for gradients of each");
  command->callback([arguments, &run] {
    run = [arguments] {
      const TrialArguments second{arguments->with, arguments->with_base, arguments->with_at};
      DifferenceRequest request{.plan = arguments->block.plan(1),
                                .weights = weights_named(arguments->weights),
                                .first_step = step_of(arguments->first),
                                .second_step = step_of(second)};
      request.plan.max_memory_mb = arguments->memory_mb;
      std::cout << measure_difference(arguments->first.open(), second.open(), request).dump()
                << '\n';
      return 0;
    };
  });
}

}  // namespace assay::worker
