// Which held-out examples readouts are fitted on, chosen with and tested on, and their labels.
#pragma once

#include "assay/data/dataset.h"
#include "assay/measure/probe/readout.h"

namespace assay::probe {

struct SplitSizes {
  int64_t train = 0, validation = 0, test = 0;
  int64_t total() const { return train + validation + test; }
};

/// Splits and starts of readouts are fixed by the data, not by the trial: every objective and every
/// checkpoint is read with the same examples.
extern const Seed kStream;

/// Indices of the factors with these names, in the data's order; no names = all.
std::vector<int64_t> chosen_factors(const DatasetInfo& info, const std::vector<std::string>& names);

/// `wanted`, or smaller in proportion where the held-out split is smaller. Throws Error
/// data.too_few_examples below 50.
SplitSizes fitted_split(const Dataset& heldout, const SplitSizes& wanted);

/// Examples and labels of the chosen factors.
struct ProbeData {
  std::vector<Factor> factors;
  std::vector<int64_t> ids;  // train, then validation, then test
  Task task;
};
/// Throws as fitted_split does. REQUIRES at least one chosen factor.
ProbeData probe_data(const Dataset& heldout, const SplitSizes& wanted,
                     const std::vector<std::string>& factors);

/// What every meter that reads factors declares: an option "factors".
std::vector<std::string> read_factors(const Options& options);

}  // namespace assay::probe
