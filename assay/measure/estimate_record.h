// Estimates of assay/stats to measurements.
#pragma once

#include "assay/core/records.h"
#include "assay/stats/interval.h"

namespace assay {

/// Fills value, interval and n; an interval that is not finite is left out, and a value that is not
/// finite gets a note unless it has one.
Measurement with_estimate(Measurement measurement, const Estimate& estimate);

/// Appends after "; ", and nothing where there is nothing to say.
void add_note(std::string& note, const std::string& more);

}  // namespace assay
