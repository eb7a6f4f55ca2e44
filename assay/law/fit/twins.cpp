#include "assay/law/fit/twins.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "assay/core/hash.h"

namespace assay {
namespace {

using Key = std::array<double, 5>;

Key key_of(const Observation& row) {
  Key key = {row.model_size, row.data_size, row.unique_data, row.compute, row.loss};
  for (double& value : key)
    if (std::isnan(value)) value = -1;
  return key;
}

}  // namespace

// Twins have equal hashes: sorted, they stand side by side, the earliest first. (Sorting the rows
// themselves would take longer than the fit of a million of them.)
std::vector<std::size_t> first_twins(std::span<const Observation> observations,
                                     std::span<const std::size_t> rows) {
  std::vector<std::pair<uint64_t, std::size_t>> order(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Key key = key_of(observations[rows[i]]);
    order[i] = {hash64({reinterpret_cast<const char*>(key.data()), sizeof key}), i};
  }
  std::sort(order.begin(), order.end());
  std::vector<std::size_t> first(rows.size());
  for (std::size_t k = 0; k < order.size(); ++k) {
    const std::size_t i = order[k].second, before = k > 0 ? order[k - 1].second : i;
    const bool twin = k > 0 && order[k].first == order[k - 1].first &&
                      key_of(observations[rows[i]]) == key_of(observations[rows[before]]);
    first[i] = twin ? first[before] : i;
  }
  return first;
}

}  // namespace assay
