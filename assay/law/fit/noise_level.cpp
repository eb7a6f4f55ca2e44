#include "assay/law/fit/noise_level.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <map>
#include <numbers>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace assay {
namespace {

using Rows = std::vector<const Observation*>;

// Every column counts, whatever a form uses: two model sizes at one budget are not replicates.
bool same_point(const Observation& a, const Observation& b) {
  const auto same = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  return same(a.model_size, b.model_size) && same(a.data_size, b.data_size) &&
         same(a.unique_data, b.unique_data) && same(a.compute, b.compute) && a.group == b.group;
}

uint64_t hash_of(const Observation& row) {
  uint64_t hash = std::hash<std::string_view>()(row.group);
  for (const double value : {row.model_size, row.data_size, row.unique_data, row.compute}) {
    // MurmurHash3's finaliser; zeros of either sign and unknowns of any bits are one value each.
    hash ^= std::bit_cast<uint64_t>(std::isnan(value) ? -1 : value + 0.0);
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdULL;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53ULL;
  }
  return hash;
}

// Design points with more than one row, in the order of their first rows. Sorted by hashes, not by
// columns: a million rows in a tenth of a second.
std::vector<Rows> replicated_points(std::span<const Observation> observations) {
  std::vector<std::pair<uint64_t, std::size_t>> sorted;
  for (std::size_t i = 0; i < observations.size(); ++i)
    if (observations[i].status == ObservationStatus::measured)
      sorted.emplace_back(hash_of(observations[i]), i);
  std::sort(sorted.begin(), sorted.end());
  std::vector<Rows> out;
  for (std::size_t from = 0, to = 0; from < sorted.size(); from = to) {
    while (to < sorted.size() && sorted[to].first == sorted[from].first) ++to;
    // Points whose hashes collide are taken apart.
    std::vector<Rows> points;
    for (std::size_t i = from; to - from > 1 && i < to; ++i) {
      const Observation& row = observations[sorted[i].second];
      const auto known = std::find_if(points.begin(), points.end(), [&](const Rows& rows) {
        return same_point(*rows.front(), row);
      });
      if (known == points.end())
        points.emplace_back(1, &row);
      else
        known->push_back(&row);
    }
    for (Rows& rows : points)
      if (rows.size() > 1) out.push_back(std::move(rows));
  }
  std::sort(out.begin(), out.end(),
            [](const Rows& a, const Rows& b) { return a.front() < b.front(); });
  return out;
}

// One row of each run. Of rows without a run, one of each loss: more likely pasted twice than
// equal.
Rows one_per_run(const Rows& rows) {
  Rows out;
  std::unordered_set<std::string_view> runs;
  std::unordered_set<double> losses;
  for (const Observation* row : rows)
    if (row->run.empty() ? losses.insert(row->loss).second : runs.insert(row->run).second)
      out.push_back(row);
  return out;
}

// Runs that meet at design points, directly or by way of others. Rows without a name are runs of
// their own.
class Meetings {
 public:
  void meet(const Rows& rows) {
    const std::size_t first = set_of(*rows.front());
    for (const Observation* row : rows) parent_[set_of(*row)] = first;
    pairs_.push_back({first, static_cast<int64_t>(rows.size()) - 1});
  }

  int64_t degrees() {
    std::map<std::size_t, int64_t> runs, meetings;
    for (std::size_t i = 0; i < parent_.size(); ++i) ++runs[root(i)];
    for (const auto& [set, count] : pairs_) meetings[root(set)] += count;
    int64_t out = 0;
    for (const auto& [set, count] : meetings) out += std::min(count, runs.at(set) - 1);
    return out;
  }

 private:
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  std::size_t set_of(const Observation& row) {
    if (!row.run.empty()) {
      const auto [known, fresh] = named_.try_emplace(row.run, parent_.size());
      if (!fresh) return root(known->second);
    }
    parent_.push_back(parent_.size());
    return parent_.size() - 1;
  }

  std::vector<std::size_t> parent_;
  std::map<std::string, std::size_t> named_;
  std::vector<std::pair<std::size_t, int64_t>> pairs_;  // a set, and runs that met it at a point
};

std::string lines_of(const Observation& a, const Observation& b) {
  if (a.line <= 0 || b.line <= 0) return "two rows";
  return "lines " + std::to_string(a.line) + " and " + std::to_string(b.line);
}

}  // namespace

ReplicateNoise replicate_noise(std::span<const Observation> observations) {
  ReplicateNoise out;
  Meetings meetings;
  double squares = 0, differences = 0;
  for (const Rows& point : replicated_points(observations)) {
    const Rows rows = one_per_run(point);
    if (rows.size() < 2) continue;
    double mean = 0;
    for (const Observation* row : rows)
      mean += std::log(row->loss) / static_cast<double>(rows.size());
    for (const Observation* row : rows) squares += std::pow(std::log(row->loss) - mean, 2);
    differences += static_cast<double>(rows.size()) - 1;
    meetings.meet(rows);
  }
  out.degrees = meetings.degrees();
  if (differences > 0) out.sigma = std::sqrt(squares / differences);
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
