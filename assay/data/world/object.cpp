// Renders one object: signed distances, texture, light and hue.
#include "assay/data/world/object.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace assay::world {
namespace {

constexpr double pi = std::numbers::pi;
constexpr double base_gain = 0.3, ring_gain = 0.35, light_gain = 0.4, hue_gain = 0.45;
constexpr std::array<double, 4> ring_frequency{2.5, 5, 8, 12.5};  // cycles per image
constexpr std::array<double, 4> symmetry_period{pi / 2, 2 * pi / 3, pi, 2 * pi};

/// What the inner loop needs, in pixels.
struct Pose {
  double centre_x, centre_y, radius, cosine, sine;
  double wave;              // radians per pixel of ρ
  double light_x, light_y;  // light_gain · l / radius
};

Pose pose_of(const Scene& scene, int size) {
  const double unit = size / 32.0;
  const double radius = 3.5 * unit * std::pow(8 / 3.5, scene[scale] / 3.0);
  const double turn = symmetry_period[static_cast<size_t>(scene[shape])] * scene[orientation] / 8.0;
  const double towards = 2 * pi * scene[light] / 8;
  return {(8.5 + scene[x]) * unit,
          (8.5 + scene[y]) * unit,
          radius,
          std::cos(turn),
          std::sin(turn),
          2 * pi * ring_frequency[static_cast<size_t>(scene[texture])] / size,
          light_gain * std::cos(towards) / radius,
          light_gain * std::sin(towards) / radius};
}

/// Signed distance in pixels (negative inside) of (px, py) in the object's own frame. Exact inside
/// the square and the triangle, first order for the ellipse: enough for coverage over one pixel.
double distance(int kind, double px, double py, double radius) {
  switch (kind) {
    case 0:
      return std::max(std::abs(px), std::abs(py)) - radius * std::numbers::sqrt2 / 2;
    case 1: {  // equilateral, one corner at +x
      const double slanted = 0.5 * px + 0.5 * std::numbers::sqrt3 * std::abs(py);
      return std::max(-px, slanted) - radius / 2;
    }
    case 2: {  // semi-axes 1 and .5: value over gradient length of the implicit function
      const double qx = px / radius, qy = 2 * py / radius;
      const double value = std::sqrt(qx * qx + qy * qy);
      const double slope = std::sqrt(qx * qx + 4 * qy * qy) / radius;
      return slope > 0 ? value * (value - 1) / slope : -radius / 2;
    }
    default: {  // crescent: a disc without the disc of .75 of its radius at (.45, 0)
      const double outer = std::sqrt(px * px + py * py) - radius;
      const double dx = px - 0.45 * radius;
      return std::max(outer, 0.75 * radius - std::sqrt(dx * dx + py * py));
    }
  }
}

/// Calls visit(row, column, coverage, luminance) for every pixel that the object touches.
template <typename Visit>
void scan(const Scene& scene, int size, const Visit& visit) {
  const Pose pose = pose_of(scene, size);
  const double reach = pose.radius + 1;
  const auto first = [&](double centre) { return std::max(0, static_cast<int>(centre - reach)); };
  const auto last = [&](double centre) {
    return std::min(size - 1, static_cast<int>(centre + reach));
  };
  for (int row = first(pose.centre_y); row <= last(pose.centre_y); ++row)
    for (int column = first(pose.centre_x); column <= last(pose.centre_x); ++column) {
      const double px = column + 0.5 - pose.centre_x, py = row + 0.5 - pose.centre_y;
      const double outline = distance(scene[shape], pose.cosine * px + pose.sine * py,
                                      pose.cosine * py - pose.sine * px, pose.radius);
      if (outline >= 0.5) continue;
      const double rings = ring_gain * std::cos(pose.wave * std::sqrt(px * px + py * py));
      visit(row, column, std::min(1.0, 0.5 - outline),
            base_gain + rings + pose.light_x * px + pose.light_y * py);
    }
}

}  // namespace

void add_object(const Scene& scene, int size, float gain, std::span<float> image) {
  std::array<double, 3> chroma;
  for (int c = 0; c < 3; ++c)
    chroma[static_cast<size_t>(c)] = hue_gain * std::cos(2 * pi * scene[hue] / 8 - 2 * pi * c / 3);
  const auto plane = static_cast<size_t>(size) * static_cast<size_t>(size);
  scan(scene, size, [&](int row, int column, double coverage, double luminance) {
    const size_t at =
        static_cast<size_t>(row) * static_cast<size_t>(size) + static_cast<size_t>(column);
    for (size_t c = 0; c < 3; ++c)
      image[c * plane + at] += gain * static_cast<float>(coverage * (luminance + chroma[c]));
  });
}

double template_power(const JointTable& table) {
  constexpr int size = 32;
  constexpr std::array<int, 5> varied{shape, scale, orientation, texture, light};
  int64_t combinations = 1;
  for (const int factor : varied) combinations *= table.cardinality(factor);
  double power = 0;
  for (int64_t combination = 0; combination < combinations; ++combination) {
    Scene scene;
    int64_t rest = combination;
    for (const int factor : varied) {
      scene.values[static_cast<size_t>(factor)] =
          static_cast<int>(rest % table.cardinality(factor));
      rest /= table.cardinality(factor);
    }
    double sum = 0;
    scan(scene, size, [&](int, int, double coverage, double luminance) {
      // The three chromas sum to 0, and their squares to 1.5 · hue_gain².
      sum += coverage * coverage * (luminance * luminance + 0.5 * hue_gain * hue_gain);
    });
    power += table.probability(scene.values, varied) * sum / (size * size);
  }
  return power;
}

}  // namespace assay::world
