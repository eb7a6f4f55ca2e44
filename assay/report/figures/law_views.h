// What the law figures and tables share: which laws, their numbers and names.
#pragma once

#include <string>
#include <vector>

#include "assay/report/report_data.h"

namespace assay::report {

/// The bit deficit by the attentive readout if there is one, else the first; null = none.
const OutcomeLaws* main_law(const ReportData& data);
/// Of the objectives' own losses; null = none.
const OutcomeLaws* own_law(const ReportData& data);

/// "bit deficit, attentive readout", "own loss".
std::string outcome_words(const OutcomeLaws& of);
/// 42.3 k, 1.2 M.
std::string count_of(double count);

/// A parameter with its 95% interval; missing where the trials do not identify the law.
Estimate estimate_of(const FittedLaw& law, size_t parameter);
/// The same by name, or of "loss_exponent" or "model_exponent" (Allocation).
Estimate estimate_of(const FittedLaw& law, const std::string& quantity);
/// "E", "alpha", … as far as the laws' form has them, and "loss_exponent" where it has both.
std::vector<std::string> quantities_of(const OutcomeLaws& of);

/// Whose floor is above zero, as far as it is known.
std::string floor_sentence(const OutcomeLaws& of);

}  // namespace assay::report
