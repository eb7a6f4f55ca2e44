// Meters: what can be measured of a trial at a checkpoint.
#pragma once

#include "assay/core/options.h"
#include "assay/train/subject.h"

namespace assay {

class Meter {
 public:
  virtual ~Meter() = default;
  virtual std::vector<Measurement> measure(Subject& subject) = 0;
  /// What a reader of the records must know, said once before the first step (e.g. no factors to
  /// probe).
  virtual std::vector<std::string> notes(const Dataset& heldout) const {
    static_cast<void>(heldout);
    return {};
  }
};

/// Whether a meter has something to say about a trial, decided before any step: for `assay check`.
struct MeterEntry {
  std::string name;
  std::string summary;
  std::vector<Option> options;
  std::unique_ptr<Meter> (*make)(const Options& options);
  bool by_default = true;  // whether it runs in studies that do not name it
};

/// Every meter of builtin.def.
const std::vector<MeterEntry>& meter_entries();

}  // namespace assay
