// Gram matrices by blocks of columns: 4 × 4 tiles in registers, fp32 in a block, float64 across.
#include "assay/stats/gram.h"

#include <algorithm>
#include <cmath>

#include "assay/core/error.h"
#include "assay/stats/kernels.h"
#include "assay/stats/lanes.h"

namespace assay {
namespace {

using detail::kLanes;
using detail::Lanes;
constexpr long kColumns = 1024;  // 64 rows of a block stay in a second-level cache
constexpr long kTile = 4;

// gram[i][j] += block_i · block_j for i <= j, with rows padded by zeros to a multiple of kTile and
// columns to a multiple of kLanes.
ASSAY_STATS_CLONES void add_block(const float* block, long rows, long columns, double* gram,
                                  long gram_stride) {
  for (long i = 0; i < rows; i += kTile) {
    for (long j = i; j < rows; j += kTile) {
      Lanes sum[kTile][kTile] = {};
      const float* left = block + i * kColumns;
      const float* right = block + j * kColumns;
      for (long k = 0; k < columns; k += kLanes) {
        for (long p = 0; p < kTile; ++p) {
          const Lanes a = *reinterpret_cast<const Lanes*>(left + p * kColumns + k);
          for (long q = 0; q < kTile; ++q) {
            sum[p][q] += a * *reinterpret_cast<const Lanes*>(right + q * kColumns + k);
          }
        }
      }
      for (long p = 0; p < kTile; ++p) {
        for (long q = 0; q < kTile; ++q) {
          gram[(i + p) * gram_stride + j + q] += detail::sum_of(sum[p][q]);
        }
      }
    }
  }
}

/// Columns of all rows, padded by zeros for add_block.
class Block {
 public:
  explicit Block(int64_t rows)
      : rows_(static_cast<long>(rows)),
        padded_rows_((rows_ + kTile - 1) / kTile * kTile),
        values_(static_cast<size_t>(padded_rows_ * kColumns)) {}

  std::span<float> row(long i, long columns) {
    return std::span(values_).subspan(static_cast<size_t>(i * kColumns),
                                      static_cast<size_t>(columns));
  }
  void read(const Rows& rows, int64_t begin, long columns) {
    std::fill(values_.begin(), values_.end(), 0.0f);
    for (long i = 0; i < rows_; ++i) rows.read(i, begin, row(i, columns));
  }
  /// other's columns, each times its factor; the padding as other's.
  void scale(const Block& other, std::span<const float> factor) {
    values_ = other.values_;
    for (long i = 0; i < rows_; ++i) {
      const std::span<float> values = row(i, static_cast<long>(factor.size()));
      for (size_t k = 0; k < factor.size(); ++k) values[k] *= factor[k];
    }
  }
  const float* data() const { return values_.data(); }
  long padded_rows() const { return padded_rows_; }

 private:
  long rows_, padded_rows_;
  std::vector<float> values_;
};

/// Products of the rows over the columns of one segment.
class GramSum {
 public:
  explicit GramSum(int64_t rows) : rows_(static_cast<long>(rows)) {}

  void clear() { std::fill(gram_.begin(), gram_.end(), 0.0); }
  void add(const Block& block, long columns) {
    stride_ = block.padded_rows();
    gram_.resize(static_cast<size_t>(stride_ * stride_));
    const long padded = (columns + kLanes - 1) / kLanes * kLanes;
    add_block(block.data(), stride_, padded, gram_.data(), stride_);
  }
  /// Adds the symmetric matrix onto out [rows × rows].
  void add_to(std::vector<double>& out) const {
    for (long i = 0; i < rows_; ++i) {
      for (long j = 0; j < rows_; ++j) {
        out[static_cast<size_t>(i * rows_ + j)] +=
            gram_[static_cast<size_t>(std::min(i, j) * stride_ + std::max(i, j))];
      }
    }
  }

 private:
  long rows_, stride_ = 0;
  std::vector<double> gram_;
};

void check(const GroupLayout& layout, const DiagonalMetric& metric) {
  if (!metric.weight.empty() && metric.weight.size() != static_cast<size_t>(layout.size())) {
    throw Error("stats.size", "metric " + metric.name + " has not one weight per parameter");
  }
}

// Square roots of the metric's weights in these columns; empty = Euclidean.
std::vector<float> root_weights(const DiagonalMetric& metric, int64_t begin, long columns) {
  std::vector<float> roots;
  if (metric.weight.empty()) return roots;
  for (const float weight :
       metric.weight.subspan(static_cast<size_t>(begin), static_cast<size_t>(columns))) {
    roots.push_back(std::sqrt(weight));
  }
  return roots;
}

bool holds(const GroupLayout& layout, size_t group, int64_t segment) {
  const int64_t index = static_cast<int64_t>(group);
  return layout.first_segment(index) <= segment && segment < layout.last_segment(index);
}

bool in_any_group(const GroupLayout& layout, int64_t segment) {
  for (size_t group = 0; group < layout.groups().size(); ++group) {
    if (holds(layout, group, segment)) return true;
  }
  return false;
}

// Subtracts the mean over rows from each row of the block and returns it. The mean is exact where
// all rows agree, so that deviations of equal rows are exactly zero.
void centre(Block& block, int64_t rows, long columns, std::vector<float>& mean) {
  std::vector<double> sum(static_cast<size_t>(columns), 0.0);
  for (long i = 0; i < rows; ++i) {
    const std::span<const float> values = block.row(i, columns);
    for (size_t k = 0; k < sum.size(); ++k) sum[k] += static_cast<double>(values[k]);
  }
  mean.resize(sum.size());
  for (size_t k = 0; k < sum.size(); ++k) {
    mean[k] = static_cast<float>(sum[k] / static_cast<double>(rows));
  }
  for (long i = 0; i < rows; ++i) {
    const std::span<float> values = block.row(i, columns);
    for (size_t k = 0; k < mean.size(); ++k) values[k] -= mean[k];
  }
}

}  // namespace

Rows Rows::of(std::span<const float> data, int64_t count, int64_t size) {
  if (data.size() != static_cast<size_t>(count) * static_cast<size_t>(size)) {
    throw Error("stats.size", "data is not rows × size numbers");
  }
  return {count, [data, size](int64_t row, int64_t begin, std::span<float> out) {
            std::copy_n(data.data() + row * size + begin, out.size(), out.data());
          }};
}

std::vector<std::vector<double>> gram_matrices(const Rows& rows, const GroupLayout& layout) {
  const size_t entries = static_cast<size_t>(rows.count * rows.count);
  std::vector<std::vector<double>> out(layout.groups().size(), std::vector<double>(entries, 0.0));
  Block block(rows.count);
  GramSum sum(rows.count);
  for (int64_t segment = 0; segment < layout.segments(); ++segment) {
    if (!in_any_group(layout, segment)) continue;
    sum.clear();
    for (int64_t begin = layout.begin(segment); begin < layout.end(segment); begin += kColumns) {
      const long columns = std::min<long>(kColumns, layout.end(segment) - begin);
      block.read(rows, begin, columns);
      sum.add(block, columns);
    }
    for (size_t group = 0; group < out.size(); ++group) {
      if (holds(layout, group, segment)) sum.add_to(out[group]);
    }
  }
  return out;
}

namespace {

/// A segment's share of one metric's CentredGram.
struct SegmentSum {
  GramSum centred;
  double mean_squared = 0;
  std::vector<double> mean_dot;

  explicit SegmentSum(size_t rows) : centred(static_cast<int64_t>(rows)), mean_dot(rows) {}
  void clear() {
    centred.clear();
    mean_squared = 0;
    std::fill(mean_dot.begin(), mean_dot.end(), 0.0);
  }
  void add(Block& block, std::span<const float> mean) {
    const long columns = static_cast<long>(mean.size());
    centred.add(block, columns);
    mean_squared += squared_norm(mean);
    for (size_t i = 0; i < mean_dot.size(); ++i)
      mean_dot[i] += dot(mean, block.row(static_cast<long>(i), columns));
  }
  void add_to(CentredGram& out) const {
    out.mean_squared += mean_squared;
    for (size_t i = 0; i < mean_dot.size(); ++i) out.mean_dot[i] += mean_dot[i];
    centred.add_to(out.centred);
  }
};

}  // namespace

std::vector<std::vector<CentredGram>> centred_grams(const Rows& rows, const GroupLayout& layout,
                                                    std::span<const DiagonalMetric> metrics) {
  for (const DiagonalMetric& metric : metrics) check(layout, metric);
  const size_t m = static_cast<size_t>(rows.count);
  const CentredGram zero{rows.count, 0, std::vector<double>(m, 0.0),
                         std::vector<double>(m * m, 0.0)};
  std::vector<std::vector<CentredGram>> out(metrics.size(),
                                            std::vector<CentredGram>(layout.groups().size(), zero));
  Block plain(rows.count), scaled(rows.count);
  std::vector<SegmentSum> sums(metrics.size(), SegmentSum(m));
  std::vector<float> mean;
  for (int64_t segment = 0; segment < layout.segments(); ++segment) {
    if (!in_any_group(layout, segment)) continue;
    for (SegmentSum& sum : sums) sum.clear();
    for (int64_t begin = layout.begin(segment); begin < layout.end(segment); begin += kColumns) {
      const long columns = std::min<long>(kColumns, layout.end(segment) - begin);
      plain.read(rows, begin, columns);
      centre(plain, rows.count, columns, mean);
      for (size_t metric = 0; metric < metrics.size(); ++metric) {
        std::vector<float> roots = root_weights(metrics[metric], begin, columns);
        if (roots.empty()) {
          sums[metric].add(plain, mean);
          continue;
        }
        scaled.scale(plain, roots);
        for (size_t k = 0; k < roots.size(); ++k) roots[k] *= mean[k];
        sums[metric].add(scaled, roots);
      }
    }
    for (size_t metric = 0; metric < metrics.size(); ++metric)
      for (size_t group = 0; group < layout.groups().size(); ++group)
        if (holds(layout, group, segment)) sums[metric].add_to(out[metric][group]);
  }
  return out;
}

std::vector<CentredGram> centred_grams(const Rows& rows, const GroupLayout& layout) {
  const DiagonalMetric euclidean{"euclidean", {}};
  return centred_grams(rows, layout, {&euclidean, 1}).front();
}

}  // namespace assay
