// Which part of a branch's way taught which factor, to second order.
#pragma once

#include "assay/measure/drive/path.h"
#include "assay/measure/drive/reading.h"

namespace assay::drive {

/// u_k: gradient of factor k's probe loss (bits per image, over `images` test images; readout and
/// reduction fitted on the training images, held fixed) with respect to the trained parameters that
/// `objective` holds. At the refitted optimum the readout's own change does not count to first
/// order (envelope theorem). [K, P] float32
Tensor probe_gradients(Objective& objective, FlatParameters& flat, const Dataset& heldout,
                       const probe::ProbeData& data, const Reading& reading, int64_t images);

/// What one part of one branch's way gave, by group and factor, in bits.
struct Attribution {
  std::string part, group;
  Tensor bits;  // [branches, K] float64
};

/// −½ (u_start + u_end)·D: the trapezoid rule along the way, exact where the loss is quadratic. Of
/// branch r, u_end is the mean of the other branches', so that no branch is judged by a readout of
/// its own end. start [K, P]; ends: [K, P] a branch; parts: by branch, the same names in each.
std::vector<Attribution> attribute(const Tensor& start, const std::vector<Tensor>& ends,
                                   const std::vector<std::vector<PathPart>>& parts,
                                   const std::vector<Group>& groups);

}  // namespace assay::drive
