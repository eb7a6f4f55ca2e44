// snapshots/<step>.safetensors: all that a meter or a branch needs of a trial at one step.
#pragma once

#include "assay/train/checkpoint.h"
#include "assay/train/subject.h"

namespace assay {

std::filesystem::path snapshot_path(const std::filesystem::path& trial, int64_t step);

/// Steps that have a snapshot, rising; empty without any.
std::vector<int64_t> snapshot_steps(const std::filesystem::path& trial);

/// Buffers "parameters", "averages", "first_moments" and "second_moments" (AdamW's, not corrected
/// for bias), the objective's state, step, fraction and ledger. Throws Error store.*.
void save_snapshot(const std::filesystem::path& trial, const FlatParameters& flat,
                   const Subject::State& state);

/// objective: of the same composition; it is not changed. Throws Error store.*, and store.corrupt
/// where the composition is another one.
Subject::State load_snapshot(const std::filesystem::path& path, Objective& objective,
                             const TrainConfig& config);

}  // namespace assay
