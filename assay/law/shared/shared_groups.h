// The groups that are to share exponents, each fitted alone.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "assay/law/fit/fit.h"

namespace assay {

struct FittedGroup {
  std::string name;
  LawProblem problem;  // of the form "chinchilla"
  LawFit own;
  double flops_per = 6;  // allocation.h
  double scale() const;  // λ (likelihood_scale), above zero
};

/// In the order in which groups first occur. Throws Error law.shared: fewer than two groups, losses
/// in different units, a group of fewer than eight rows or without a fit, no group whose design
/// tells exponents apart.
std::vector<FittedGroup> fitted_groups(std::span<const Observation> observations,
                                       const RobustLoss& loss);

}  // namespace assay
