// What a whole table tells that a row does not: duplicates, constants, units that differ.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "assay/law/table/table.h"

namespace assay {

/// Appends warnings and facts to `table`: a constant loss, duplicated rows, the same loss to more
/// than four digits under two runs, rows of equal N and D (and U, group) that differ by more than
/// 25%, C far from 6·N·D, sizes that look counted in millions.
///
/// Throws Error data.mixed_units where rows of equal N and D fall into two close sets whose losses
/// differ by the factor 1/ln 2 = 1.4427, in at least half of the places where they differ by more
/// than 25% at all: some are in nats, others in bits. Close means to 3%, or to three standard
/// deviations of a difference where replicates are noisier. Simulated, 5 × 5 sizes with corners
/// twice, one corner row in bits, 1,000 tables: refused in all at a log-noise of .005, in 98% at
/// .01, in 93% at .02, with the warning of rows that differ in the others; without a planted row
/// never, up to a noise of .05. Where no sizes are repeated nothing can be seen.
void check_rows(const std::filesystem::path& path, TableRows& table);

/// The table's loss_unit where all rows name the same one and no option did. Throws Error
/// data.mixed_units where rows of one group name different ones, or another than the option.
void settle_loss_unit(const std::filesystem::path& path, TableRows& table);

/// "lines 4, 9, 12-40 and 31 more"; `total` >= lines.size().
std::string describe_lines(const std::vector<int64_t>& lines, int64_t total);

}  // namespace assay
