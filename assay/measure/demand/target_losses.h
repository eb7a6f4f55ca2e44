// Losses of a trial's predictions and of the null predictor, on the same held-out examples.
#pragma once

#include <map>

#include "assay/measure/demand/null.h"
#include "assay/train/subject.h"

namespace assay::demand {

struct TargetPlan {
  int64_t fit = 2048;    // training examples behind the null predictor, one draw each
  int64_t score = 1024;  // held-out examples
  int64_t draws = 1;     // of each
};

/// Of one term.
struct TermInfo {
  NullForm null;
  std::string caution;
  size_t column = 0;  // first cell of the term
};

/// Sums over the draws of each held-out example; columns that no target belongs to (regularisers)
/// are zero.
struct TargetLosses {
  std::map<std::string, TermInfo> terms;
  Tensor loss, null, targets;  // [n, C] float64
};

/// At the weights that are loaded. The null is fitted on `train` and scored on `heldout`, ids of
/// both permuted by a fixed stream, so that curves are paired along training; a coupled objective
/// sees whole training batches. Charged to subject.flops_spent.
///
/// Throws Error measure.too_few_examples, and measure.leak where more than half of the scored
/// examples were fitted on.
TargetLosses target_losses(Subject& subject, const Dataset& train, const Dataset& heldout,
                           const TargetPlan& plan);

}  // namespace assay::demand
