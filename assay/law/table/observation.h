// What a scaling law is fitted to: one row per measured loss.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace assay {

enum class ObservationStatus {
  measured,
  upper_bound,  // undertrained: the loss at the end of training would have been lower
  diverged,     // counted, never fitted
};

struct Observation {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

  double model_size = kUnknown;   // N, parameters
  double data_size = kUnknown;    // D, examples or tokens seen
  double unique_data = kUnknown;  // U, different ones among them
  double compute = kUnknown;      // C, FLOPs
  double loss = kUnknown;         // nats, bits, or the objective's own unit; > 0
  std::string run;                // rows of one run are not independent; empty = a run of its own
  std::string group;              // objective, or curve: a law of its own
  std::string loss_unit;          // of this row's loss; empty = that of the table, known or not
  ObservationStatus status = ObservationStatus::measured;
  int64_t line = 0;  // of the table it came from, 1-based; 0 = none
};

}  // namespace assay
