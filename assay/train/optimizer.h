// LibTorch's AdamW with its moments in flat buffers.
#pragma once

#include "assay/train/config.h"
#include "assay/train/flat_parameters.h"

namespace assay {

/// AdamW (Loshchilov & Hutter 2019, algorithm 2). The moments of all parameters are views into two
/// flat buffers, so that checkpoints and the Adam metric need no walk over the optimiser's state.
class Optimizer {
 public:
  Optimizer(Objective& objective, const FlatParameters& flat, const TrainConfig& config);

  /// One step with the gradients in the flat buffer; clips their norm first. Returns the norm
  /// before.
  double step(FlatParameters& flat, double learning_rate);

  Tensor first_moments() const { return first_; }    // [P]
  Tensor second_moments() const { return second_; }  // [P], not corrected for bias
  int64_t steps() const { return steps_; }
  void restore(int64_t steps);  // after the moments were written

 private:
  TrainConfig config_;
  Tensor first_, second_;
  std::unique_ptr<torch::optim::AdamW> adamw_;
  int64_t steps_ = 0;
};

}  // namespace assay
