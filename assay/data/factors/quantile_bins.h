// Equal shares of a distribution: how a number becomes a factor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace assay {

/// Edges fitted once, on training examples: held-out examples are cut at the same places, and what
/// they look like moves nothing.
class QuantileBins {
 public:
  /// Edge j of `bins` − 1 is the value of rank ⌊j·n/bins⌋ (from 0) among the n known ones, so that
  /// values without ties fill bins that differ by at most one. Tied values stay together: bins
  /// may then be uneven or empty. NaN = unknown. Throws Error data.factor, naming `factor`, if
  /// fewer than `bins` values are known.
  QuantileBins(std::vector<double> values, int64_t bins, const std::string& factor);

  /// Number of edges that are at most `value`: 0 … bins − 1; −1 for NaN.
  int64_t of(double value) const;
  const std::vector<double>& edges() const { return edges_; }

 private:
  std::vector<double> edges_;  // rising
};

}  // namespace assay
