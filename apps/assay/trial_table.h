// A trial as a row and as JSON: the same for `assay run` and `assay status`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "assay/store/study_folder.h"

namespace assay::cli {

/// trial, status, steps, loss, held-out loss, seconds.
std::string trial_table(const StudyFolder& study);

/// {"id", "name", "status", "in_study", "reason", "step", "steps", "loss", "heldout_loss",
/// "seconds", "problems"}
nlohmann::json trial_json(const TrialFolder& trial);

/// Why a trial ended as it did; empty for a completed one and for one that has not ended.
std::string reason_of(const TrialFolder& trial);

}  // namespace assay::cli
