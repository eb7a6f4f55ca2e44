#include "assay/law/fit/noise_level.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>
#include <tuple>

namespace assay {
namespace {

using Rows = std::vector<const Observation*>;

auto key_of(const Observation& row) {
  const auto known = [](double value) { return std::isnan(value) ? -1 : value; };
  return std::tuple(known(row.model_size), known(row.data_size), known(row.unique_data),
                    known(row.compute), std::string_view(row.group));
}

// Every column counts, whatever a form uses: two model sizes at one budget are not replicates.
// Points with one row are left out.
std::vector<Rows> replicated_points(std::span<const Observation> observations) {
  Rows sorted;
  for (const Observation& row : observations)
    if (row.status == ObservationStatus::measured) sorted.push_back(&row);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Observation* a, const Observation* b) {
    return key_of(*a) < key_of(*b);
  });
  std::vector<Rows> out;
  for (std::size_t from = 0, to = 0; from < sorted.size(); from = to) {
    while (to < sorted.size() && key_of(*sorted[to]) == key_of(*sorted[from])) ++to;
    if (to - from > 1) out.emplace_back(&sorted[from], &sorted[from] + (to - from));
  }
  return out;
}

std::vector<double> one_per_run(const Rows& rows) {
  std::vector<double> out;
  std::vector<std::string> seen;
  for (const Observation* row : rows) {
    if (!row->run.empty()) {
      if (std::find(seen.begin(), seen.end(), row->run) != seen.end()) continue;
      seen.push_back(row->run);
    }
    out.push_back(std::log(row->loss));
  }
  return out;
}

std::string lines_of(const Observation& a, const Observation& b) {
  if (a.line <= 0 || b.line <= 0) return "two rows";
  return "lines " + std::to_string(a.line) + " and " + std::to_string(b.line);
}

}  // namespace

ReplicateNoise replicate_noise(std::span<const Observation> observations) {
  ReplicateNoise out;
  double squares = 0;
  for (const Rows& rows : replicated_points(observations)) {
    const std::vector<double> values = one_per_run(rows);
    double mean = 0;
    for (const double value : values) mean += value / static_cast<double>(values.size());
    for (const double value : values) squares += (value - mean) * (value - mean);
    out.degrees += static_cast<int64_t>(values.size()) - 1;
  }
  if (out.degrees > 0) out.sigma = std::sqrt(squares / static_cast<double>(out.degrees));
  return out;
}

double median_deviation(std::span<const double> residuals, std::size_t parameters) {
  const std::size_t n = residuals.size();
  if (n <= parameters) return 0;
  std::vector<double> sizes(n);
  for (std::size_t i = 0; i < n; ++i) sizes[i] = std::fabs(residuals[i]);
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(n / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  double median = *middle;
  if (n % 2 == 0) median = 0.5 * (median + *std::max_element(sizes.begin(), middle));
  return 1.4826 * median * std::sqrt(static_cast<double>(n) / static_cast<double>(n - parameters));
}

std::vector<std::string> replicate_faults(std::span<const Observation> observations) {
  std::vector<std::string> out;
  for (const Rows& rows : replicated_points(observations)) {
    for (std::size_t i = 1; i < rows.size(); ++i) {
      const Observation &first = *rows[0], &row = *rows[i];
      const auto before = rows.begin() + static_cast<std::ptrdiff_t>(i);
      const auto twin = std::find_if(
          rows.begin(), before, [&](const Observation* other) { return other->loss == row.loss; });
      if (twin != before) {
        out.push_back(
            lines_of(**twin, row) +
            " have the same columns and the same loss to every digit: is a run there twice?");
        continue;
      }
      const double apart = std::fabs(std::log(row.loss / first.loss));
      if (std::fabs(apart + std::log(std::numbers::ln2)) < 0.05)
        out.push_back(lines_of(first, row) +
                      " differ by about the factor ln 2 at one design point: bits beside nats?");
    }
  }
  return out;
}

}  // namespace assay
