// The option `of` of regularisers.
#pragma once

#include "assay/objective/registry.h"

namespace assay {

Option tap_option();
Tap tap_of(const Options& options);

/// A scalar as the same number in each of B rows: the mean over a batch is the scalar. [B, 1]
Tensor for_each_row(const Tensor& scalar, int64_t batch);

}  // namespace assay
