// assay measure gradients: the gradients behind the noise view, for anyone to recompute it.
#pragma once

#include <atomic>

#include "assay/measure/snr_measurement.h"
#include "assay/study/trial_subject.h"

namespace assay {

struct GradientExport {
  std::filesystem::path out;
  SnrPlan plan;  // of one block: the first of `assay measure snr` with the same plan
  Weights weights = Weights::averaged;
  std::optional<int64_t> step;  // none: the last snapshot
  double max_bytes = 4e9;       // larger files are refused
};

/// Writes a safetensors file, a gradient at a time, whole or not at all:
///   ids          [units, b] I64
///   draw_seeds   [units, draws] I64, the bits of the unsigned seed
///   adam_weight  [P] F32, 1/(√v + ε); absent before 1% of the run
///   gradients    [units, draws, P] F32, each the mean over the unit's examples
/// and metadata["assay"], JSON: trial, step, weights, plan, groups and parameters with their
/// ranges, FLOPs. Returns that JSON with "file" and "bytes". The cost is charged to measures.jsonl.
///
/// Throws Error usage.size for a file beyond max_bytes, environment.disk_full before the first
/// gradient where the disk has no room; Interrupted (train/trainer.h) once `stop` is set.
nlohmann::json export_gradients(const OpenTrial& trial, const GradientExport& request,
                                const std::atomic<bool>& stop);

}  // namespace assay
