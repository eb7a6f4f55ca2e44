// checkpoint.safetensors and snapshots/<step>.safetensors.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "assay/train/flat_parameters.h"

namespace assay {

/// Flat buffers to be stored under a prefix, one tensor per parameter:
/// "parameters.trunk.norm.weight".
struct NamedBuffer {
  std::string prefix;
  Tensor values;  // [P] float32, contiguous, CPU
};

/// Objective::state(): teachers and centres, stored as "state.<name>".
using ObjectiveState = std::vector<std::pair<std::string, Tensor>>;  // float32

/// One atomic file; metadata["assay"] = `state` as JSON text. Throws Error store.*,
/// environment.disk_full.
void save_checkpoint(const std::filesystem::path& path, const FlatParameters& flat,
                     const std::vector<NamedBuffer>& buffers, const ObjectiveState& objective,
                     const nlohmann::json& state);

/// Reads the buffers in place and returns `state`. Throws Error store.corrupt naming the tensor
/// that is missing or has another shape (the trial was made by another composition).
nlohmann::json load_checkpoint(const std::filesystem::path& path, const FlatParameters& flat,
                               const std::vector<NamedBuffer>& buffers,
                               const ObjectiveState& objective);

}  // namespace assay
