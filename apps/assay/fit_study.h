// assay fit DIR: the laws of a study.
#pragma once

#include <string>

#include "apps/assay/command.h"
#include "assay/law/study/study_laws.h"

namespace assay::cli {

/// Laws of every outcome that the trials of a study folder were measured by, and how the
/// objectives' laws differ. Writes the same as JSON to `output` if that is not empty.
int fit_study(const std::string& folder, const std::string& factor, StudyRows rows,
              LawRequest request, const std::string& output, const Globals& globals);

}  // namespace assay::cli
