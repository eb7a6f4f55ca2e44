// Orientation, detail and place of edges, from the structure tensor of luma.
#include <cmath>
#include <numbers>

#include "assay/data/factors/image_statistics.h"

namespace assay {
namespace {

// Mean squared gradient below which a picture is flat: a hundredth of one grey level a pixel.
constexpr double kFlat = 6e-9;

/// Sums over the inner pixels of products of central differences (y points down).
struct Gradients {
  double xx = 0, xy = 0, yy = 0;
  double at_x = 0, at_y = 0;  // energy times place, −1..1 from edge to edge
  double pixels = 0;

  double energy() const { return xx + yy; }
  bool flat() const { return !(energy() > kFlat * pixels); }
};

Gradients gradients_of(const PictureView& picture) {
  Gradients sums;
  const auto side = static_cast<double>(picture.size);
  for (int64_t row = 1; row + 1 < picture.size; ++row)
    for (int64_t column = 1; column + 1 < picture.size; ++column) {
      const double x = (picture.light(row, column + 1) - picture.light(row, column - 1)) / 2;
      const double y = (picture.light(row + 1, column) - picture.light(row - 1, column)) / 2;
      sums.xx += x * x;
      sums.xy += x * y;
      sums.yy += y * y;
      sums.at_x += (x * x + y * y) * ((2 * static_cast<double>(column) + 1) / side - 1);
      sums.at_y += (x * x + y * y) * ((2 * static_cast<double>(row) + 1) / side - 1);
      sums.pixels += 1;
    }
  return sums;
}

double anisotropy(const Gradients& sums) {
  return std::sqrt((sums.xx - sums.yy) * (sums.xx - sums.yy) + 4 * sums.xy * sums.xy) /
         sums.energy();
}

}  // namespace

/// Degrees of the gradient's axis, −45..135: 0 = light changes along a row (upright edges), 90 =
/// along a column. Cut open between the two peaks of natural images, not at one of them.
double dominant_orientation(const PictureView& picture) {
  const Gradients sums = gradients_of(picture);
  if (sums.flat() || anisotropy(sums) < 1e-6) return NAN;
  const double degrees = std::atan2(2 * sums.xy, sums.xx - sums.yy) * 90 / std::numbers::pi;
  return degrees < -45 ? degrees + 180 : degrees;
}

double orientation_coherence(const PictureView& picture) {
  const Gradients sums = gradients_of(picture);
  return sums.flat() ? NAN : anisotropy(sums);
}

double fine_detail(const PictureView& picture) {
  const Gradients sums = gradients_of(picture);
  const double spread = contrast(picture);
  return sums.flat() ? NAN : sums.energy() / sums.pixels / (spread * spread);
}

double edge_centre_x(const PictureView& picture) {
  const Gradients sums = gradients_of(picture);
  return sums.flat() ? NAN : sums.at_x / sums.energy();
}

double edge_centre_y(const PictureView& picture) {
  const Gradients sums = gradients_of(picture);
  return sums.flat() ? NAN : sums.at_y / sums.energy();
}

}  // namespace assay
