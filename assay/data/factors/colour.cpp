// Hue and saturation.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "assay/data/factors/image_statistics.h"

namespace assay {
namespace {

constexpr int kCells = 72;  // of 5 degrees
constexpr int kReach = 3;   // cells on either side that a triangular window covers
constexpr double kLeastChroma =
    2.0 / 255;  // mean over pixels: one grey level, what JPEG leaves of grey
// Hues are cut open where natural images have the fewest (magenta), so that one peak of their
// distribution does not fall into the first bin and the last.
constexpr double kCut = 300;

/// The hexagonal projection of R, G, B along the grey axis.
struct Chroma {
  double along, across;
  double length() const { return std::sqrt(along * along + across * across); }
  double degrees() const {
    const double angle = std::atan2(across, along) * 180 / std::numbers::pi;
    return angle < 0 ? angle + 360 : angle;
  }
};

Chroma chroma_at(const PictureView& picture, size_t pixel) {
  const auto area = static_cast<size_t>(picture.size * picture.size);
  const double red = picture.values[pixel], green = picture.values[area + pixel],
               blue = picture.values[2 * area + pixel];
  return {red - (green + blue) / 2, std::sqrt(3.0) / 2 * (green - blue)};
}

double smoothed(const std::array<double, kCells>& histogram, int cell) {
  double sum = 0;
  for (int offset = -kReach; offset <= kReach; ++offset)
    sum += (kReach + 1 - std::abs(offset)) *
           histogram[static_cast<size_t>((cell + offset + kCells) % kCells)];
  return sum;
}

}  // namespace

double dominant_hue(const PictureView& picture) {
  std::array<double, kCells> histogram{};
  const size_t pixels = picture.luma.size();
  double total = 0;
  for (size_t i = 0; i < pixels; ++i) {
    const Chroma chroma = chroma_at(picture, i);
    const double length = chroma.length();
    if (length == 0) continue;
    const auto cell = static_cast<size_t>(chroma.degrees() / 360 * kCells);
    histogram[std::min<size_t>(cell, kCells - 1)] += length;
    total += length;
  }
  if (total < kLeastChroma * static_cast<double>(pixels)) return NAN;
  int peak = 0;
  for (int cell = 1; cell < kCells; ++cell)
    if (smoothed(histogram, cell) > smoothed(histogram, peak)) peak = cell;
  // The vertex of the parabola through the peak and its neighbours.
  const double before = smoothed(histogram, peak - 1), at = smoothed(histogram, peak),
               after = smoothed(histogram, peak + 1);
  const double bend = before - 2 * at + after;
  const double shift = bend < 0 ? (before - after) / (2 * bend) : 0;
  const double degrees = std::fmod((peak + .5 + shift) * 360 / kCells + 360, 360);
  return degrees >= kCut ? degrees - 360 : degrees;
}

double mean_saturation(const PictureView& picture) {
  double sum = 0;
  for (size_t i = 0; i < picture.luma.size(); ++i) sum += chroma_at(picture, i).length();
  return sum / static_cast<double>(picture.luma.size());
}

}  // namespace assay
