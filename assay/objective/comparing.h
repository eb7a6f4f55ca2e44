// What measurements see between prediction and metric, and what they may put in its place.
#pragma once

#include <functional>

#include "assay/objective/objective.h"

namespace assay {

/// How the best prediction that does not see the input is found from targets alone.
enum class NullKind {
  mean,         // squared error: the mean of each number
  direction,    // cosine: the mean of the targets' unit vectors
  huber,        // smooth L1: Huber's location with parameter β
  frequencies,  // cross-entropy: log frequencies of the classes
  uniform       // contrast: all candidates are alike
};

/// What a metric tells of its null prediction.
struct NullForm {
  NullKind kind = NullKind::mean;
  double parameter = 1;   // β of huber; temperature that divides logits, of frequencies
  int64_t variables = 1;  // categorical variables of a token, of frequencies
  bool nats = false;      // a negative log-likelihood
  int64_t variances = 0;  // learned log variances of a density; the null has its own
};

/// Predictions of one view beside their targets, on the way into a term's loss.
struct Compared {
  std::string term;     // name in Objective::cells()
  NullForm null;        // of the term's metric
  Tensor prediction;    // [B, n, outputs]; undefined unless Comparing::predictions
  Tensor target;        // [B, n, outputs], or classes: int64 [B, n] or [B, n, variables]
  Tensor positions;     // [B, n] int64 place of each token in its view; undefined = 0 … n - 1
  int64_t outputs = 0;  // numbers that the predictor gives a token
  int64_t places = 0;   // positions lie below this
  /// The mean target is this times a constant of place and number; undefined = 1. [B, 1 or n, 1]
  Tensor scale;
  std::vector<int> level_bin;  // [B]; empty = all 0
  bool by_level = false;       // the target's distribution depends on the noise level
  std::string caution;         // what its reader must know; empty = nothing
  /// The term's own columns of the loss map at another prediction and target, weighted by noise
  /// level as in training but for additive parts. log_variance: [NullForm::variances] in place of
  /// the learned ones; undefined = these.
  std::function<LossMap(const Tensor& prediction, const Tensor& target, const Tensor& log_variance)>
      loss;
};

/// How a measurement departs from training.
struct Comparing {
  /// Row b is compared with the target of this row, under the noise field of its own; undefined =
  /// its own target. [B] int64, CPU.
  Tensor target_rows;
  /// false: trained networks run only where targets read them, and no losses are returned.
  bool predictions = true;
  /// Called at every comparison of every term.
  std::function<void(const Compared&)> see;
};

}  // namespace assay
