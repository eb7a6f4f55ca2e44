// Square images in one array, read row by row.
#pragma once

#include "assay/core/options.h"
#include "assay/data/array_file.h"
#include "assay/tensor/torch.h"

namespace assay {

/// `layout`, `range` and `size`.
std::vector<Option> array_image_options();

/// uint8 or float32 images; pixel x becomes 2 (x - low)/(high - low) - 1.
struct ArrayImages {
  FileArray array;  // [N, H, W], [N, H, W, C] or [N, C, H, W], H = W
  int64_t channels = 1, side = 0;
  bool channels_last = false;
  int64_t size = 0;  // side of what rows() gives; divides `side`
  double low = 0, high = 255;

  /// [B, channels, size, size] float32, averaged over areas of (side/size)² pixels.
  Tensor rows(std::span<const int64_t> ids) const;
};

/// Reads the header only. Throws Error data.dtype (neither uint8 nor float32), data.layout
/// (ambiguous, not square, `size` does not divide), config.missing_key (float32 without `range`),
/// config.range.
ArrayImages array_images(FileArray array, const Options& options);

/// Reads all pixels. Throws Error data.value with the first example that has one outside
/// [low, high] or not finite.
void check_values(const ArrayImages& images);

}  // namespace assay
