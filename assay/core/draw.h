// One realisation of an objective's own randomness.
#pragma once

#include <optional>

#include "assay/core/seed.h"

namespace assay {

/// All randomness of a loss comes from (draw, example id, replica). Level and pattern have seeds of
/// their own, so that either can be redrawn while the other is kept: every split of variance rests
/// on it.
struct Draw {
  Seed level;                    // noise level or mask rate
  Seed pattern;                  // which tokens are masked, the noise itself, the crop
  std::optional<int> level_bin;  // draw the level inside this bin only: homogeneous microbatches
  double progress = 0;           // of the run, in [0, 1]

  /// Level and pattern both fresh from one seed.
  static Draw from(Seed seed, double progress) {
    return {seed.child("level"), seed.child("pattern"), std::nullopt, progress};
  }
};

}  // namespace assay
