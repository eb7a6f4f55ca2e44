// Where the rows of a fit lie, and how far from them a point is.
#pragma once

#include <array>
#include <span>
#include <utility>
#include <vector>

#include "assay/law/intervals/bootstrap.h"

namespace assay {

/// Columns of a form over the fitted rows. A box would call the corner of a single-line design
/// fitted: for forms of N and D their convex hull on log axes counts.
struct FittedRegion {
  std::vector<std::pair<LawAxis, LawLimits>> ranges;  // least and greatest, in table units
  std::vector<std::array<double, 2>> hull;  // log10 N, log10 D, anticlockwise; empty for forms of
                                            // one column
};

/// Of the columns that the form needs.
FittedRegion fitted_region(const FitRows& rows, const Form& form);

/// Decades beyond the range of one column: below it negative, within it 0.
double decades_beyond(const LawLimits& range, double value);

/// Decades between a point and the region: 0 inside; else the distance to the hull on log10 axes,
/// or of the column that no hull covers (unique data), if that is more.
double decades_beyond(const FittedRegion& region, const Observation& point);

/// Corners of the convex hull, anticlockwise, without points on its sides (Andrew's monotone
/// chain); fewer than three where all points lie on one line.
std::vector<std::array<double, 2>> convex_hull(std::vector<std::array<double, 2>> points);
/// 0 inside.
double distance_to_hull(std::span<const std::array<double, 2>> hull,
                        const std::array<double, 2>& point);

}  // namespace assay
