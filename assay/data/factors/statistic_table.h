// Statistics of all examples of a split: computed once, kept on disk.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace assay {

struct StatisticTable {
  int64_t rows = 0, columns = 0;
  std::vector<double> values;  // [rows, columns], NaN = unknown

  std::vector<double> column(int64_t k) const;
};

/// Fills rows [begin, begin + count): to [count, columns]. Called from several threads.
using FillStatistics = std::function<void(int64_t begin, int64_t count, std::span<double> to)>;

/// On up to four threads, in pieces; no bit depends on how many.
StatisticTable compute_statistics(int64_t rows, int64_t columns, const FillStatistics& fill);

/// The table in `path`, or computed and saved there. An empty path = not kept. `note`: why it could
/// not be kept; empty if it was. Of several processes that start together one computes.
StatisticTable cached_statistics(const std::string& path, int64_t rows, int64_t columns,
                                 const std::function<StatisticTable()>& compute, std::string& note);

}  // namespace assay
