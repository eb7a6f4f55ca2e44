// assay-worker resolve STUDY.toml: the study as one JSON document.
#include "assay/tensor/torch.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/assay-worker/worker.h"
#include "assay/study/study.h"

namespace assay::worker {

void add_resolve(CLI::App& app, Command& run) {
  struct Arguments {
    std::string study;
    std::vector<std::string> assignments;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("resolve", "print a study's trials as JSON");
  command->add_option("study", arguments->study, "study file (TOML)")->required();
  command->add_option("--set", arguments->assignments, "KEY=VALUE over the file")->take_all();
  command->callback([arguments, &run] {
    run = [arguments] {
      const Study study = resolve_study(arguments->study, arguments->assignments);
      std::cout << to_json(study).dump(1) << '\n';
      return 0;
    };
  });
}

}  // namespace assay::worker
