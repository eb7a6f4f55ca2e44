// Plain records that travel between layers and into the study folder. No tensors here.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace assay {

/// One addressable share of a loss. -1 = not resolved by that axis.
struct Cell {
  std::string term;
  int level_bin = -1;  // of equal probability under the objective's own law of levels; 0 = cleanest
  int band = -1;       // spatial-frequency octave, 0 = lowest (assay/tensor/bands.h)

  bool operator==(const Cell&) const = default;
};

/// One measured number. `labels` say which one it is; the keys in use:
///   group    trunk | head | layer.<i>                 weights  averaged | live | initial
///   metric   euclidean | adam                          term, level, band   the cell
///   factor   what a probe reads                        readout  linear | attentive
///   features trained | random_init | raw_input | gain  (gain = trained minus random_init)
///   part, null, of, objective   of branches: part of their way, which null, of parameters or
///                               features, of another objective than the trial's
struct Measurement {
  std::string meter;     // objective_snr | probe | heldout_loss | drive | …
  std::string quantity;  // e.g. snr_per_example; one word per estimand, listed in docs/records.md
  std::string unit;      // "1", "bit", "nat", "squared error", "1/GFLOP", …
  int64_t step = 0;
  double fraction = 0;  // of the budget, the nominal one: 0, 0.01, …
  double flops = 0;     // spent on training so far, the x-axis that objectives share
  std::map<std::string, std::string> labels;
  double value = 0;                 // NaN = could not be had; `note` says why
  std::optional<double> low, high;  // of the interval
  double coverage = 0.95;           // nominal, of the interval
  int64_t n = 0;                    // independent units behind the value
  std::string method;               // estimator and interval, in words
  std::string note;
};

/// What a trial has spent. FLOPs by passes (notes in docs/records.md): 3 per trained pass,
/// 1 without gradient, 2 with gradient for activations only; a pass costs 2·P·T + 4·T²·d·L.
struct Ledger {
  int64_t step = 0;
  double training_flops = 0;
  double measuring_flops = 0;
  int64_t examples = 0;
  int64_t unique_examples = 0;
  int64_t tokens = 0;  // positions at which the trunk ran while training
};

/// How a trial ended.
struct Outcome {
  std::string status;  // completed | diverged | failed | timed_out
  std::string reason;  // empty when completed
  int64_t step = 0;
};

nlohmann::json to_json(const Cell&);
nlohmann::json to_json(const Measurement&);  // {"kind":"measurement", …}; NaN as null
nlohmann::json to_json(const Ledger&);       // {"kind":"ledger", …}
nlohmann::json to_json(const Outcome&);
Cell cell_from_json(const nlohmann::json&);
Measurement measurement_from_json(const nlohmann::json&);
Ledger ledger_from_json(const nlohmann::json&);
Outcome outcome_from_json(const nlohmann::json&);

}  // namespace assay
