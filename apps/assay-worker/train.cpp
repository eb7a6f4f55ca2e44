// assay-worker train --trial DIR --base DIR: one trial, from its checkpoint if there is one.
#include "assay/tensor/torch.h"

#include "apps/assay-worker/stop.h"
#include "apps/assay-worker/worker.h"
#include "assay/study/run_trial.h"
#include "assay/train/trainer.h"

namespace assay::worker {

void add_train(CLI::App& app, Command& run) {
  struct Arguments {
    std::string trial, base;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("train", "train or resume one trial");
  command->add_option("--trial", arguments->trial, "trial folder with config.json")->required();
  command->add_option("--base", arguments->base, "folder that relative data paths start from")
      ->required();
  command->callback([arguments, &run] {
    run = [arguments] {
      try {
        run_trial(arguments->trial, arguments->base, stop_on_signals());
      } catch (const Interrupted&) {
        return stopped_exit_code();
      }
      return 0;
    };
  });
}

}  // namespace assay::worker
