// The laws of a study: one for each outcome and objective, and how they differ.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "assay/law/study/law_comparison.h"
#include "assay/law/study/study_observations.h"

namespace assay {

struct OutcomeLaws {
  StudyOutcome outcome;
  std::vector<FittedLaw> laws;                     // by objective, in the study's order
  std::vector<std::optional<LocalSlopes>> slopes;  // beside each law
  std::vector<LawDifference> differences;          // of a comparable outcome
};

/// With "auto", one form for all objectives of an outcome, so that exponents compare: "chinchilla"
/// where N and D vary, else "floor_power". Throws what study_outcomes throws, and Error law.form
/// where the trials differ neither in size, data nor compute.
std::vector<OutcomeLaws> fit_study_laws(const StudyFolder& study, const std::string& factor,
                                        const LawRequest& request,
                                        StudyRows rows = StudyRows::last);

/// What `assay predict` and `assay plan` call a law: "mae: bit deficit, attentive".
std::string law_name(const StudyOutcome& outcome, const FittedLaw& law);

/// {"outcome", "readout", "unit", "comparable", "laws": [as of a table, with "name", "slopes":
/// {"N": {"value", "interval"}, "D"} and "rows":
/// [{"run", "N", "D", "U", "C", "loss", "status", "fitted"}]], "differences": [{"first", "second",
/// "quantity", "value", "interval", "standard_error", "detectable", "distinguished"}], "warnings"}
nlohmann::json to_json(const OutcomeLaws& laws);

}  // namespace assay
