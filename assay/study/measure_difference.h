// assay measure difference: two trials on the same examples and draws, is one noisier?
#pragma once

#include "assay/measure/snr_measurement.h"
#include "assay/study/trial_subject.h"

namespace assay {

struct DifferenceRequest {
  SnrPlan plan;  // of the one block that is measured
  Weights weights = Weights::averaged;
  std::optional<int64_t> first_step, second_step;  // none: the last snapshot
};

/// First less second, of the trunk's gradients in the Euclidean metric: snr_difference and
/// share_difference; signal_difference and total_variance_difference where both have one
/// objective, for otherwise the gradients are in different units. Label `with` is the second's name
/// and step. Appended to the first trial's measures.jsonl; answers as
/// measure_snr does.
///
/// Throws Error usage.pairs where the two do not see the same examples, in the same units.
nlohmann::json measure_difference(const OpenTrial& first, const OpenTrial& second,
                                  const DifferenceRequest& request);

}  // namespace assay
