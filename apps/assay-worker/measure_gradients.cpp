// assay-worker measure gradients: gradients of one trial into a file.
#include "assay/tensor/torch.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/assay-worker/measure.h"
#include "apps/assay-worker/stop.h"
#include "assay/study/export_gradients.h"
#include "assay/train/trainer.h"

namespace assay::worker {

void add_measure_gradients(CLI::App& measure, Command& run) {
  struct Arguments {
    TrialArguments trial;
    BlockArguments block;
    std::string out, weights = "averaged";
    double max_gb = 4;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = measure.add_subcommand("gradients", "gradients of one trial into a file");
  arguments->trial.declare(*command);
  arguments->block.declare(*command);
  command->add_option("--out", arguments->out, "safetensors file")->required();
  command->add_option("--weights", arguments->weights, "averaged | live");
  command->add_option("--max-gb", arguments->max_gb, "refuse a larger file");
  command->callback([arguments, &run] {
    run = [arguments] {
      if (arguments->trial.all_steps())
        throw Error("usage.step", "a file holds the gradients of one step",
                    "give the step of a snapshot");
      GradientExport request{.out = arguments->out,
                             .plan = arguments->block.plan(2),
                             .weights = weights_named(arguments->weights),
                             .step = arguments->trial.step(),
                             .max_bytes = 1e9 * arguments->max_gb};
      try {
        std::cout << export_gradients(arguments->trial.open(), request, stop_on_signals()).dump()
                  << '\n';
      } catch (const Interrupted&) {
        return stopped_exit_code();
      }
      return 0;
    };
  });
}

}  // namespace assay::worker
