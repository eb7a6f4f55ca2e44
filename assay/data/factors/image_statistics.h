// Numbers that can be read off a picture alone: what derived factors of images are made of.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace assay {

/// One decoded picture as a data set hands it out, before any augmentation.
struct PictureView {
  /// values [channels, size, size], about −1..1.
  PictureView(std::span<const float> values, int64_t channels, int64_t size);

  double light(int64_t row, int64_t column) const {
    return luma[static_cast<size_t>(row * size + column)];
  }

  std::span<const float> values;
  int64_t channels, size;
  std::vector<double> luma;  // [size, size]: .299 R + .587 G + .114 B, or the mean of the channels
};

/// A function of one picture. NaN where the picture does not have the property (the hue of grey).
struct ImageStatistic {
  std::string_view name, kind, summary;  // kind: content | position
  bool needs_colour;                     // three channels
  double (*of)(const PictureView& picture);
};

/// Every statistic of pictures, in a fixed order.
std::span<const ImageStatistic> image_statistics();

// Units: degrees, and those of pixels (−1..1) or none.
double dominant_hue(const PictureView& picture);
double mean_saturation(const PictureView& picture);
double mean_luminance(const PictureView& picture);
double contrast(const PictureView& picture);
double dominant_orientation(const PictureView& picture);
double orientation_coherence(const PictureView& picture);
double fine_detail(const PictureView& picture);
double edge_centre_x(const PictureView& picture);
double edge_centre_y(const PictureView& picture);

}  // namespace assay
