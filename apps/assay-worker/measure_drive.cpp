// assay-worker measure drive: what short branches of one trial teach.
#include "assay/tensor/torch.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/assay-worker/measure.h"
#include "assay/study/measure_drive.h"

namespace assay::worker {
namespace {

struct Arguments {
  TrialArguments trial;
  DriveRequest request;
  bool no_nulls = false;
};

}  // namespace

void add_measure_drive(CLI::App& measure, Command& run) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = measure.add_subcommand("drive", "what short branches of one trial teach");
  arguments->trial.declare(*command);
  DrivePlan& plan = arguments->request.plan;
  command->add_option("--branches", plan.branches, "branches");
  command->add_option("--steps", plan.steps, "steps of a branch");
  command->add_option("--threads", plan.threads, "branches at a time");
  command->add_option("--images", plan.split.test, "held-out images that gains are measured on");
  command->add_option("--probe-images", plan.split.train, "that readouts are fitted on");
  command->add_option("--factors", plan.factors, "factors")->delimiter(',');
  command->add_option("--attribution-images", plan.attribution_images, "0 = no attribution");
  command->add_option("--head-steps", plan.head_steps, "for the head of another objective");
  command->add_option("--objective", arguments->request.objective, "preset of the branches");
  command->add_flag("--no-nulls", arguments->no_nulls, "no nulls");
  command->callback([arguments, &run] {
    run = [arguments] {
      DriveRequest request = arguments->request;
      request.step = arguments->trial.step();
      request.plan.nulls = !arguments->no_nulls;
      std::cout << measure_drive(arguments->trial.open(), request).dump() << '\n';
      return 0;
    };
  });
}

}  // namespace assay::worker
