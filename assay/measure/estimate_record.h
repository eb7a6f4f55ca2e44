// Estimates of assay/stats to measurements.
#pragma once

#include "assay/core/records.h"
#include "assay/stats/interval.h"

namespace assay {

/// Fills value, interval and n; an interval that is not finite is left out, and a value that is not
/// finite gets a note unless it has one.
Measurement with_estimate(Measurement measurement, const Estimate& estimate);

}  // namespace assay
