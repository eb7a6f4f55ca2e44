// A trunk from a trial's snapshot, as a teacher that does not move.
#include "assay/objective/frozen_trunk.h"

#include <fmt/format.h>

#include <cstring>
#include <filesystem>

#include "assay/store/safetensors.h"

namespace assay {

void check_checkpoint(const Options& options, const std::string& path) {
  if (std::filesystem::is_regular_file(path)) return;
  throw options.error("checkpoint", "config.checkpoint", fmt::format("there is no file `{}`", path),
                      "give a snapshot of a trial, relative to the folder where assay is run");
}

void load_trunk(const std::string& path, Trunk& trunk) {
  const torch::NoGradGuard no_gradient;
  const SafetensorsFile file(path);
  for (const auto& item : trunk.named_parameters()) {
    const std::string name = fmt::format("averages.trunk.{}", item.key());
    const StoredTensor* stored = file.find(name);
    Tensor parameter = item.value();
    if (!stored || stored->dtype != "F32" || stored->shape != parameter.sizes().vec())
      throw Error("config.checkpoint",
                  fmt::format("{}: tensor `{}` is missing or has another shape", path, name),
                  "a frozen teacher needs a snapshot made with the same [model] and data size");
    const Tensor values = at::empty(parameter.sizes(), at::kFloat);
    std::memcpy(values.data_ptr<float>(), stored->data.data(), stored->data.size());
    parameter.copy_(values);
  }
}

}  // namespace assay
