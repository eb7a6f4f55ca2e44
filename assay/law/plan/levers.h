// What limits the precision of a sweep, and what would reach a target that it misses.
#pragma once

#include "assay/law/plan/planner.h"

namespace assay {

/// Twice the seeds; half a decade more of every column, upward and downward (as many runs); the
/// floor known exactly.
std::vector<SweepLever> levers(const DesignModel& model, const Sweep& sweep, double sigma,
                               const RunCost& cost, const std::string& of);
/// The sentence. The floor limits where it makes up half of the variance; else what gains most over
/// seeds of the same cost, with which errors fall as 1/√compute.
std::string limit_text(const std::vector<SweepLever>& levers, const std::string& of, double error);
/// Each alone reaches the target: more seeds, a wider range (the least in tenths of a decade, up to
/// four), less noise.
std::vector<SweepLever> remedies(const DesignModel& model, const Sweep& sweep, double sigma,
                                 const RunCost& cost, const SweepTarget& target);

}  // namespace assay
