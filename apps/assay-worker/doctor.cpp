// assay-worker doctor: the LibTorch half of `assay doctor`.
#include "assay/tensor/torch.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/assay-worker/worker.h"
#include "assay/study/environment.h"

namespace assay::worker {

void add_doctor(CLI::App& app, Command& run) {
  CLI::App* command = app.add_subcommand("doctor", "versions and devices, as JSON");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "the only form there is");
  command->callback([json, &run] {
    run = [] {
      nlohmann::json out = environment();
      out["cuda"] = at::hasCUDA();
      std::cout << out.dump(1) << '\n';
      return 0;
    };
  });
}

}  // namespace assay::worker
