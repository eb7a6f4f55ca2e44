// Exponents shared by the groups of a table: `assay fit --share exponents`.
#pragma once

#include <optional>
#include <string>

#include "assay/law/fitted/fitted_law.h"
#include "assay/law/shared/shared_exponents.h"
#include "assay/law/table/table.h"

namespace assay::cli {

/// Nothing for "none". Throws Error usage.share where the form is another than chinchilla, and what
/// share_exponents throws.
std::optional<SharedExponents> shared_of(const std::string& share, const TableRows& table,
                                         const LawRequest& request);

std::string shared_text(const SharedExponents& shared);

}  // namespace assay::cli
