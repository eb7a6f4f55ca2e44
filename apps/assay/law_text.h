// What `assay fit` says of one law.
#pragma once

#include <optional>
#include <string>

#include "assay/law/fitted/fitted_law.h"

namespace assay::cli {

/// Five digits.
std::string number_text(double value);
/// "0.317 to 0.373"; "from 0.3 on" or "up to 0.4" where a side is open; "–" where there is none.
std::string limits_text(const std::optional<LawLimits>& limits);

/// "E + A x^-c, x = D": of forms of one column what it is.
std::string formula_text(const Form& form);

/// Parameters with intervals or why there are none, how the fit went, single rows, allocation,
/// structural bits, hold-out.
std::string law_text(const FittedLaw& law);

}  // namespace assay::cli
