// Runs one trial in its folder: connects data, objective, trainer and meters.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>

#include "assay/core/records.h"

namespace assay {

/// folder holds config.json; base is where relative data paths start. Writes environment.json, the
/// trainer's files and outcome.json. `stop` set: checkpoints and throws Interrupted
/// (train/trainer.h). Throws Error environment.locked when another process trains it, data.changed
/// when a resumed trial would see other data. Any other Error is also written to outcome.json as
/// `failed`.
Outcome run_trial(const std::filesystem::path& folder, const std::string& base,
                  const std::atomic<bool>& stop);

}  // namespace assay
