#include "assay/law/fitted/fitted_region.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace assay {
namespace {

using Point = std::array<double, 2>;

constexpr double kRounding = 1e-9;  // of logarithms and back, in decades

// Twice the area of the triangle, positive where it turns left.
double turn(const Point& a, const Point& b, const Point& c) {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

double distance_to_segment(const Point& a, const Point& b, const Point& point) {
  const double x = b[0] - a[0], y = b[1] - a[1], square = x * x + y * y;
  double part = square > 0 ? ((point[0] - a[0]) * x + (point[1] - a[1]) * y) / square : 0;
  part = std::clamp(part, 0.0, 1.0);
  return std::hypot(point[0] - a[0] - part * x, point[1] - a[1] - part * y);
}

Point log_sizes(const Observation& row) {
  return {std::log10(row.model_size), std::log10(row.data_size)};
}

bool in_hull(LawAxis axis) { return axis == LawAxis::model_size || axis == LawAxis::data_size; }

}  // namespace

std::vector<Point> convex_hull(std::vector<Point> points) {
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  if (points.size() < 3) return points;
  std::vector<Point> out;
  for (const bool upper : {false, true}) {
    const std::size_t first = out.size();
    for (const Point& point : points) {
      while (out.size() >= first + 2 && turn(out[out.size() - 2], out.back(), point) <= 0)
        out.pop_back();
      out.push_back(point);
    }
    out.pop_back();  // the other half begins with it
    if (!upper) std::reverse(points.begin(), points.end());
  }
  return out;
}

double distance_to_hull(std::span<const Point> hull, const Point& point) {
  double nearest = std::numeric_limits<double>::infinity();
  bool inside = hull.size() > 2;
  for (std::size_t i = 0; i < hull.size(); ++i) {
    const Point &a = hull[i], &b = hull[(i + 1) % hull.size()];
    nearest = std::min(nearest, distance_to_segment(a, b, point));
    inside &= turn(a, b, point) >= 0;
  }
  return inside ? 0 : nearest;
}

FittedRegion fitted_region(const FitRows& rows, const Form& form) {
  const auto log10_of = [&](LawAxis axis, std::size_t row) {
    return (rows.log_column[static_cast<std::size_t>(axis)][row] + rows.units[axis]) /
           std::numbers::ln10;
  };
  FittedRegion out;
  for (const LawAxis axis : form.axes()) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (std::size_t i = 0; i < rows.count; ++i) {
      low = std::min(low, log10_of(axis, i));
      high = std::max(high, log10_of(axis, i));
    }
    out.ranges.push_back({axis, {std::pow(10, low), std::pow(10, high)}});
  }
  if (form.axes().size() == 1) return out;
  std::vector<Point> points;
  for (std::size_t i = 0; i < rows.count; ++i)
    points.push_back({log10_of(LawAxis::model_size, i), log10_of(LawAxis::data_size, i)});
  out.hull = convex_hull(std::move(points));
  return out;
}

double decades_beyond(const LawLimits& range, double value) {
  const double beyond = value > range.high  ? std::log10(value / range.high)
                        : value < range.low ? std::log10(value / range.low)
                                            : 0;
  return std::fabs(beyond) > kRounding ? beyond : 0;
}

double decades_beyond(const FittedRegion& region, const Observation& point) {
  double out = region.hull.empty() ? 0 : distance_to_hull(region.hull, log_sizes(point));
  for (const auto& [axis, range] : region.ranges)
    if (region.hull.empty() || !in_hull(axis))
      out = std::max(out, std::fabs(decades_beyond(range, value_on(point, axis))));
  return out > kRounding ? out : 0;
}

}  // namespace assay
