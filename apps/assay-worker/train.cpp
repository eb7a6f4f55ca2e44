// assay-worker train --trial DIR --base DIR: one trial, from its checkpoint if there is one.
#include "assay/tensor/torch.h"

#include <atomic>
#include <csignal>

#include "apps/assay-worker/worker.h"
#include "assay/core/error.h"
#include "assay/study/run_trial.h"
#include "assay/train/trainer.h"

namespace assay::worker {
namespace {

std::atomic<bool> stop{false};
std::atomic<int> stop_signal{0};

void request_stop(int signal) {
  stop_signal = signal;
  stop = true;
}

}  // namespace

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
      std::signal(SIGTERM, request_stop);
      std::signal(SIGINT, request_stop);
      try {
        run_trial(arguments->trial, arguments->base, stop);
      } catch (const Interrupted&) {
        return static_cast<int>(stop_signal.load() == SIGINT ? ExitCode::interrupted
                                                             : ExitCode::terminated);
      }
      return 0;
    };
  });
}

}  // namespace assay::worker
