// Gram matrices of a few long rows, by group and metric.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "assay/stats/group_layout.h"

namespace assay {

/// Inner product Σ w_i a_i b_i. Empty weight = Euclidean.
struct DiagonalMetric {
  std::string name;
  std::span<const float> weight;  // [P], >= 0; must outlive its use
};

/// m rows of P floats. `read` puts columns [begin, begin + out.size()) of a row into zeroed `out`,
/// which lets a sum of buffers be a row without being stored.
struct Rows {
  int64_t count = 0;
  std::function<void(int64_t row, int64_t begin, std::span<float> out)> read;

  /// Row-major data [count × size].
  static Rows of(std::span<const float> data, int64_t count, int64_t size);
};

/// Rows g_j = ḡ + d_j in one group and metric.
struct CentredGram {
  int64_t count = 0;             // m
  double mean_squared = 0;       // |ḡ|²
  std::vector<double> mean_dot;  // [m] ḡ·d_j
  std::vector<double> centred;  // [m × m] d_i·d_j: from deviations, not from differences of norms
};

/// Plain Gram matrices [groups][m × m], row-major; Euclidean.
std::vector<std::vector<double>> gram_matrices(const Rows& rows, const GroupLayout& layout);

/// [metrics][groups], in the order of the layout; rows are read once for all metrics. Time about
/// m²·P operations a metric; scratch 2 m × 1,024 floats.
std::vector<std::vector<CentredGram>> centred_grams(const Rows& rows, const GroupLayout& layout,
                                                    std::span<const DiagonalMetric> metrics);
/// Euclidean. [groups]
std::vector<CentredGram> centred_grams(const Rows& rows, const GroupLayout& layout);

}  // namespace assay
