// Images as sequences of patches.
#pragma once

#include "assay/tensor/torch.h"

namespace assay {

// Patches in raster order; the numbers of a patch are ordered (channel, row, column), so that a
// patch is a small image and can be transformed as one.

/// [B, C, S, S] to [B, (S/p)², C·p·p]. Throws Error tensor.shape unless square and divisible by p.
Tensor patchify(const Tensor& images, int64_t patch);

/// The inverse. [B, T, C·p·p] to [B, C, √T·p, √T·p].
Tensor unpatchify(const Tensor& tokens, int64_t patch, int64_t channels);

}  // namespace assay
