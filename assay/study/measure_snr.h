// assay measure snr: the noise view of a trained trial, as precise as asked.
#pragma once

#include "assay/measure/snr_measurement.h"
#include "assay/study/trial_subject.h"

namespace assay {

struct SnrRequest {
  SnrPlan plan;  // of one block; level_units and band_units 0 where not asked for
  std::vector<Weights> weights = {Weights::averaged};
  std::optional<int64_t> step;  // none: the last snapshot
  bool all_steps = false;
  NoiseQuantity of = NoiseQuantity::snr;
  double half_width = 0.1;
  /// For everything measured at one step. None: kDefaultShare of the trial's training FLOPs, and
  /// always the first blocks.
  std::optional<double> budget_flops;

  static constexpr double kDefaultShare = 0.1;
};

/// Measures step by step, each appended to measures.jsonl when it is whole, and returns
/// {"trial", "name", "folder", "steps": [{"step", "fraction", "measurements", "measuring"}]}, the
/// records as in docs/records.md. What one resolution leaves of its share of the budget goes to
/// those after it. Throws Error usage.budget where an asked budget does not pay for the first
/// blocks, and what subject_at and SnrMeasurement throw.
nlohmann::json measure_snr(const OpenTrial& trial, const SnrRequest& request);

}  // namespace assay
