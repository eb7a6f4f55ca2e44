// Options of `assay fit` from a pre-registration file, and into one.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "assay/law/fitted/preregistration.h"

namespace assay::cli {

/// Sets the command's options to what the file froze. Throws what read_preregistration and
/// check_against throw.
Preregistration obey(CLI::App& command, const std::string& path);

/// Throws Error usage.preregistration_exists: what was frozen is not overwritten.
void refuse_frozen(const std::string& path);
/// Writes the options as they are now. Throws what refuse_frozen throws.
void freeze(const CLI::App& command, const std::string& path);

std::string preregistration_summary(const Preregistration& file,
                                    const std::vector<TestedPrediction>& tested);

}  // namespace assay::cli
