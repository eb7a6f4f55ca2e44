// The tables of the report that are not a figure's own numbers.
#pragma once

#include "assay/report/figures/figure.h"

namespace assay::report {

Table study_card(const ReportData& data);  // objectives × sizes × seeds: what became of each cell
Table trial_table(const ReportData& data);
Table cost_table(const ReportData& data);
Table environment_table(const ReportData& data);
Table seed_table(const ReportData& data);

/// Commands that make this study and this page again.
std::vector<std::string> reproduce_commands(const ReportData& data);

/// What limits the conclusions: few seeds, trials lost, small effective dimension, notes, damage.
std::vector<std::string> limits(const ReportData& data);

}  // namespace assay::report
