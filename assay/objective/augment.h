// Random crops, flips and colours of images, replayable by draw.
#pragma once

#include "assay/core/draw.h"
#include "assay/data/dataset.h"
#include "assay/tensor/noise.h"

namespace assay {

/// Randomness of one kind of view.
struct Augmentation {
  double smallest = 0.3, largest = 1;  // share of the image's area that a crop covers
  double flip = 0.5;                   // probability of a mirror image
  double colour = 0;                   // strength of brightness, contrast and saturation, 0 … 1
  double grey = 0;                     // probability of a grey image
};

/// A random square crop of each image, resampled to side × side with bilinear interpolation (aspect
/// ratio 1; at 32 pixels other ratios distort more than they vary), then flip and colour jitter.
/// Row b depends on (stream, id, replica) alone. images: [B, C, S, S]; result [B, C, side, side].
Tensor augmented(const Tensor& images, const RowKeys& rows, Seed stream, int64_t side,
                 const Augmentation& augmentation);

/// Declarations of the options that crops share, and their values. Throws Error config.range.
std::vector<Option> augmentation_options(double smallest, double largest);
Augmentation augmentation(const Options& options);

}  // namespace assay
