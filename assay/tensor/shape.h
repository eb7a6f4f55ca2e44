// Shape checks at the borders between parts, with a message that names the tensor.
#pragma once

#include "assay/tensor/torch.h"

namespace assay {

inline constexpr int64_t kAny = -1;  // a size that is not checked

/// Throws Error tensor.shape: "mae.images is [8, 3, 31, 32], must be [8, 3, 32, 32]".
void check_shape(const Tensor& tensor, std::initializer_list<int64_t> expected,
                 const std::string& what);

}  // namespace assay
