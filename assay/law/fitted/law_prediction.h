// What a stored law says of points that people name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assay/law/fitted/stored_law.h"

namespace assay {

/// Reads "N=1e8,D=2e9": columns N, D, U, C and numbers above zero; columns that are not named are
/// unknown. Throws Error usage.point (spelling, a column twice), usage.axis (unknown column),
/// usage.number (not a number above zero).
Observation parse_point(const std::string& text);

struct PointPrediction {
  Observation point;         // as evaluated: of C alone, N* and D*
  LawPrediction prediction;  // limits NaN where the law has no resamples
  /// Where C alone was asked for: N*(C), D*(C).
  std::optional<AllocationIntervals> optimal;
  double decades_beyond = 0;                          // of the fitted region
  std::vector<std::pair<LawAxis, double>> by_column;  // decades beyond its range; below: negative
  std::vector<std::string> warnings;
};

/// Warns beyond this distance from the fitted region, in decades.
constexpr double kFarBeyond = 1;
/// A law whose parameters are not identified predicts no further than this.
constexpr double kBesideFitted = 0.1;

/// Value and 95% intervals at a point. A form of N and D takes N and D, N and C (D = C/(6 N)), or C
/// alone, which stands for the compute-optimal N* and D*, where U = D*.
///
/// Throws Error usage.axis (a column that the form does not have), usage.missing_axis,
/// law.not_identifiable (beyond the fitted region, or compute-optimal, with a law whose parameters
/// are not identified), law.allocation (no compute-optimal sizes: A, B or an exponent is zero).
PointPrediction predict_at(const StoredLaw& law, const Observation& asked);

}  // namespace assay
