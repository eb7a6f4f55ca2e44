// Threads over pieces, and one tensor in a safetensors file.
#include "assay/data/factors/statistic_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>

#include "assay/core/error.h"
#include "assay/core/parallel.h"
#include "assay/data/image_store.h"
#include "assay/store/safetensors.h"

namespace assay {
namespace {

constexpr int64_t kMostThreads = 4;
constexpr int64_t kPiece = 16;  // examples: few, so that pieces of decoded images stay small
constexpr const char* kTensor = "statistics";

std::optional<StatisticTable> load(const std::string& path, int64_t rows, int64_t columns) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  try {
    const SafetensorsFile file(path);
    const StoredTensor* found = file.find(kTensor);
    if (!found || found->dtype != "F64" || found->shape != std::vector<int64_t>{rows, columns})
      return std::nullopt;
    StatisticTable table{rows, columns, std::vector<double>(static_cast<size_t>(rows * columns))};
    std::memcpy(table.values.data(), found->data.data(), found->data.size());
    return table;
  } catch (const Error&) {
    return std::nullopt;  // not whole: computed again
  }
}

}  // namespace

std::vector<double> StatisticTable::column(int64_t k) const {
  std::vector<double> out;
  for (int64_t row = 0; row < rows; ++row)
    out.push_back(values[static_cast<size_t>(row * columns + k)]);
  return out;
}

StatisticTable compute_statistics(int64_t rows, int64_t columns, const FillStatistics& fill) {
  StatisticTable table{rows, columns, std::vector<double>(static_cast<size_t>(rows * columns))};
  in_parallel(std::min(kMostThreads, hardware_threads()), (rows + kPiece - 1) / kPiece,
              [&](int64_t piece) {
                const int64_t begin = piece * kPiece, count = std::min(kPiece, rows - begin);
                fill(begin, count,
                     std::span(table.values)
                         .subspan(static_cast<size_t>(begin * columns),
                                  static_cast<size_t>(count * columns)));
              });
  return table;
}

StatisticTable cached_statistics(const std::string& path, int64_t rows, int64_t columns,
                                 const std::function<StatisticTable()>& compute,
                                 std::string& note) {
  note.clear();
  if (path.empty()) return compute();
  if (auto found = load(path, rows, columns)) return *found;
  const CacheLock lock(path + ".lock");
  if (auto found = load(path, rows, columns)) return *found;  // another worker has just made it
  StatisticTable table = compute();
  const StoredTensor tensor{
      kTensor, "F64", {rows, columns}, std::as_bytes(std::span(table.values))};
  try {
    write_safetensors(path, std::span(&tensor, 1), {});
  } catch (const Error& error) {
    note = fmt::format("statistics of derived factors not kept on disk: {}", error.what());
  }
  return table;
}

}  // namespace assay
