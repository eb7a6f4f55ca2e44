// Estimates of assay/stats to measurements.
#include "assay/tensor/torch.h"

#include "assay/measure/estimate_record.h"

#include <cmath>

namespace assay {

Measurement with_estimate(Measurement measurement, const Estimate& estimate) {
  measurement.value = estimate.value;
  measurement.n = estimate.n;
  if (std::isfinite(estimate.low) && std::isfinite(estimate.high)) {
    measurement.low = estimate.low;
    measurement.high = estimate.high;
  }
  if (!std::isfinite(estimate.value) && measurement.note.empty())
    measurement.note =
        estimate.n < 2 ? "fewer than two known examples" : "undefined: a ratio to zero";
  return measurement;
}

void add_note(std::string& note, const std::string& more) {
  if (!more.empty()) note += (note.empty() ? "" : "; ") + more;
}

}  // namespace assay
