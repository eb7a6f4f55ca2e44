// What probes read of one set of weights: refitted readouts on all layers, per test image.
#pragma once

#include "assay/measure/probe/reduction.h"
#include "assay/measure/probe/task.h"
#include "assay/objective/objective.h"

namespace assay::drive {

struct Reading {
  Tensor log2_probability;  // [test, K] float64 of the true value; NaN = unknown label
  Tensor shuffled;          // the same of readouts for shuffled labels; undefined unless asked for
  Tensor pooled;            // [test, (L + 1)·D] float32, features before any reduction
  std::optional<probe::Reduction> reduction;  // to the readouts' features
  Tensor weights;                             // [d + 1, ΣC] of the readouts
  double flops = 0;
};

/// Linear readout of the weights that `objective` holds: mean over tokens of all layers side by
/// side, at `dimension` principal components of its own, refitted; the null model is a candidate.
/// shuffled: also for labels that a fixed permutation gave to other images, within the training,
/// validation and test images apart; a readout that gains on those was scored on what it was fitted
/// on. Throws Error measure.leak where an image stands twice among the ids.
Reading read(Objective& objective, const Dataset& heldout, const probe::ProbeData& data,
             int64_t dimension, bool shuffled);

}  // namespace assay::drive
