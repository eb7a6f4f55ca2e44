// Measures until an estimate is as precise as asked, or until nothing more may be spent.
#pragma once

#include <functional>
#include <vector>

#include "assay/stats/noise_accumulator.h"

namespace assay {

enum class NoiseQuantity { snr, share };  // snr_per_example, objective_share

struct PrecisionTarget {
  NoiseQuantity of = NoiseQuantity::snr;
  double half_width =
      0.1;  // of the 95% interval, relative to the value; of the worst part by parts
  std::string group = "trunk";  // Euclidean
  int64_t most_blocks = 1;      // what the budget and the data pay for
};

struct AdaptiveNoise {
  NoiseView view;
  int64_t blocks = 0;
  int64_t looks = 0;      // at estimates: 1 = the pilot was enough
  double half_width = 0;  // reached; infinite while the interval includes 0
  bool reached = false;   // false: most_blocks ended it
};

/// Half the interval over |value|: 0 for an exact value, infinite where the interval includes 0 or
/// the value could not be had.
double relative_half_width(const Estimate& estimate);

/// Looks at the first block (the pilot), plans from it how many blocks the asked width takes
/// (its square falls as 1/n, but the part that |G|² has without signal as 1/n²; four times as many
/// where the interval includes 0), looks again there, and so on. The
/// estimate is that of all blocks together, the pilot included.
///
/// Stopping by what is estimated favours estimates that look precise, so looks are few: each is at
/// 1.2 to 4 times the examples of the last, not at every block: a longer stride overshoots (8 with
/// a tenth for luck took 15% more examples, at the same bias and coverage). What bias and loss of
/// coverage remain is simulated in tests/stats/adaptive_noise_test.cpp.
///
/// examples(block) gives the ids of a block, distinct over all blocks. Throws what the accumulator
/// throws; stats.row if the source has no such group.
AdaptiveNoise measure_adaptively(NoiseAccumulator& accumulator,
                                 const std::function<std::vector<int64_t>(int64_t)>& examples,
                                 const PrecisionTarget& target);

}  // namespace assay
