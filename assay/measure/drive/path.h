// The way of a branch, taken apart: which loss term moved the weights where.
#pragma once

#include "assay/train/stepper.h"

namespace assay::drive {

/// One additive share of the displacement of the averaged weights.
struct PathPart {
  std::string name;     // a term of the loss; "momentum" or "weight decay"
  Tensor displacement;  // [P] float32
};

/// Follows AdamW step by step with its own denominators: the first moment is linear in the
/// gradients, and so are weights and their average, so that
///   averaged_end − averaged_start = Σ_terms D_term + D_momentum + D_decay
/// holds to rounding. D_momentum is what was on its way before the branch began: the first moment,
/// and the distance of the averaged weights behind the live ones. Costs a backward pass a term and
/// step, and 3 · (terms + 2) · P floats.
class PathByTerm : public StepObserver {
 public:
  /// stepper: restored to the start; must outlive it.
  explicit PathByTerm(Stepper& stepper);

  void losses(const Objective& objective, const LossMap& map, double progress,
              double share) override;
  void before_update(double gradient_norm) override;
  void after_update(double rate, double weight) override;

  std::vector<PathPart> parts() const;
  int64_t terms() const { return static_cast<int64_t>(terms_.size()); }

 private:
  struct Share {
    Tensor gradient;                        // of this step
    Tensor moment, displacement, averaged;  // [P]
  };
  Stepper& stepper_;
  std::vector<std::string> terms_;
  std::vector<Share> shares_;  // terms, then momentum, then decay
  std::vector<Tensor> trained_;
  Tensor before_;  // [P] weights before the update
};

}  // namespace assay::drive
