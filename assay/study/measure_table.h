// The [measure] table: which meters, with which options, at which fractions of the budget.
#pragma once

#include "assay/study/study.h"

namespace assay {

struct MeasureTable {
  Node effective;                 // with every default; false = a meter that is off
  std::vector<double> fractions;  // sorted, within [0, 1]
  std::vector<ResolvedTrial::NamedMeter> meters;
};

/// Every meter is on with its defaults unless the table says `NAME = false` or gives its options.
/// Throws Error config.*.
MeasureTable read_measure(const Node& table);

}  // namespace assay
