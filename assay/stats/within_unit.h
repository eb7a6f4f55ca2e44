// Sums of squares between the draws of one unit.
#pragma once

#include <span>
#include <vector>

#include "assay/stats/gram.h"

namespace assay {

/// W = Σ_j |g_j − ḡ|² from differences to the first draw, e_j = g_j − g_1: Σ|e_j|² − |Σ e_j|²/r.
/// Where draws do not differ, every e_j is exactly zero, and so is the objective's variance. View 0
/// is the whole loss, views 1 … the parts, if it was resolved into any.
class WithinUnit {
 public:
  /// layout and metrics must outlive it. Σ e_j takes a gradient of memory from the third draw on.
  WithinUnit(const GroupLayout& layout, const std::vector<DiagonalMetric>& metrics, int64_t parts,
             int64_t draws);

  size_t views() const { return parts_ + 1; }
  void clear();
  /// current, first: [max(1, parts) × P], one after another. Turns `current` into its e_j.
  void add(std::span<float> current, std::span<const float> first);
  /// Takes |Σ e_j|²/r off and turns the first draw into the mean over draws. last: what add() left
  /// in its last `current`.
  void finish(std::span<const float> last, std::span<float> first);

  double squares(size_t view, size_t metric, size_t group) const {
    return squares_[view * metrics_.size() + metric][group];
  }

 private:
  void add_views(std::span<const float> values, double factor);
  void add_squares(size_t view, std::span<const float> values, double factor);

  const GroupLayout& layout_;
  const std::vector<DiagonalMetric>& metrics_;
  size_t size_, parts_;
  int64_t draws_;
  std::vector<float> sum_;                    // Σ e_j; empty up to two draws, where it is e_2
  std::vector<float> whole_;                  // of all parts
  std::vector<std::vector<double>> squares_;  // [views × metrics][groups]
};

}  // namespace assay
