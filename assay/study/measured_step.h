// What a measurement of a trained trial leaves: lines of measures.jsonl, and the answer as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "assay/study/trial_subject.h"

namespace assay {

/// Appends the measurements, then the costs, to the trial's measures.jsonl. Returns {step,
/// fraction, measurements, measuring}. Throws as append_measures does.
nlohmann::json record_step(const OpenTrial& trial, const Subject& subject,
                           const std::vector<Measurement>& measurements,
                           const std::vector<nlohmann::json>& costs);

/// {trial, name, folder, steps}
nlohmann::json measured_answer(const OpenTrial& trial, nlohmann::json steps);

}  // namespace assay
