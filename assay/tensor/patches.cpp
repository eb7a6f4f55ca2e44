// Images as sequences of patches.
#include "assay/tensor/patches.h"

#include <fmt/format.h>

#include <cmath>

#include "assay/core/error.h"
#include "assay/tensor/shape.h"

namespace assay {

Tensor patchify(const Tensor& images, int64_t patch) {
  check_shape(images, {kAny, kAny, kAny, kAny}, "images");
  const int64_t batch = images.size(0), channels = images.size(1), size = images.size(2);
  if (size != images.size(3) || size % patch != 0)
    throw Error("tensor.shape",
                fmt::format("images of {} × {} cannot be cut into patches of {} × {}", size,
                            images.size(3), patch, patch));
  const int64_t grid = size / patch;
  return images.view({batch, channels, grid, patch, grid, patch})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({batch, grid * grid, channels * patch * patch});
}

Tensor unpatchify(const Tensor& tokens, int64_t patch, int64_t channels) {
  check_shape(tokens, {kAny, kAny, channels * patch * patch}, "patches");
  const int64_t batch = tokens.size(0);
  const auto grid = static_cast<int64_t>(std::lround(std::sqrt(tokens.size(1))));
  if (grid * grid != tokens.size(1))
    throw Error("tensor.shape", fmt::format("{} patches do not form a square", tokens.size(1)));
  return tokens.view({batch, grid, grid, channels, patch, patch})
      .permute({0, 3, 1, 4, 2, 5})
      .reshape({batch, channels, grid * patch, grid * patch});
}

}  // namespace assay
