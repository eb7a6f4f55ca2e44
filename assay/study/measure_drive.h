// assay measure drive: branches of a trained trial.
#pragma once

#include "assay/measure/drive.h"
#include "assay/study/trial_subject.h"

namespace assay {

struct DriveRequest {
  DrivePlan plan;
  std::optional<int64_t> step;  // of a snapshot; none = the last that the branches fit after
  std::string objective;        // preset of the branches; empty = the trial's own
};

/// Measures, appends to measures.jsonl, and returns {"trial", "name", "folder", "steps": [{"step",
/// "fraction", "measurements", "measuring"}]} as measure_snr does. Throws Error measure.branches,
/// usage.step, config.choice for an unknown preset, and what measure_drive throws.
nlohmann::json measure_drive(const OpenTrial& trial, const DriveRequest& request);

}  // namespace assay
