// How much branches of one checkpoint go the same way: of parameters and of features.
#pragma once

#include "assay/stats/displacement.h"
#include "assay/stats/gradient_source.h"
#include "assay/tensor/torch.h"

namespace assay::drive {

struct Drift {
  std::string group;  // trunk, head, layer.i; features
  DisplacementEstimate estimate;
};

/// displacements: of the averaged parameters, one [P] a branch.
std::vector<Drift> parameter_drift(const std::vector<Tensor>& displacements,
                                   const std::vector<Group>& groups);

/// displacements: of pooled features, one [n, d] a branch, in units of each feature's standard
/// deviation over the images at the start. start [n, d].
std::vector<Drift> feature_drift(const std::vector<Tensor>& displacements, const Tensor& start);

/// Branches that coincide have shared their data order and draws: their spread would be 0. Throws
/// Error measure.branches.
void require_different(const std::vector<Tensor>& displacements);

}  // namespace assay::drive
