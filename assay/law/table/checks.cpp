// Rows are sorted by what they have in common; neighbours are then compared.
#include "assay/law/table/checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "assay/core/error.h"
#include "assay/law/table/file.h"

namespace assay {
namespace {

constexpr double kFarApart = 0.25;        // replicates that differ by more are worth a word
constexpr double kLeastTolerance = 0.03;  // of the log ratio of two sets of losses to ln(1/ln 2)
constexpr double kUnitJump = 0.36651292058166435;  // ln(1/ln 2)
constexpr size_t kKeptLines = 100;

// What rows share that were measured at the same place of the design.
struct DesignPoint {
  uint32_t group = 0;
  std::array<uint64_t, 3> sizes{};  // N; D, or C where D is unknown; U
  auto operator<=>(const DesignPoint&) const = default;
};
struct Keyed {
  DesignPoint point;
  double loss;
  uint32_t run;
  uint32_t row;
};

// Equal to about nine digits: D = C/(6 N) carries rounding.
uint64_t rounded(double value) {
  if (!(value > 0)) return 0;
  return (std::bit_cast<uint64_t>(value) + (uint64_t{1} << 21)) >> 22;
}

class Numbering {
 public:
  uint32_t operator()(std::string_view text) {
    return numbers_.try_emplace(text, static_cast<uint32_t>(numbers_.size())).first->second;
  }

 private:
  std::unordered_map<std::string_view, uint32_t> numbers_;
};

std::vector<Keyed> sorted_by_point(const std::vector<Observation>& rows) {
  Numbering groups, runs;
  std::vector<Keyed> keyed;
  keyed.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const Observation& row = rows[i];
    if (row.status == ObservationStatus::diverged) continue;
    const double data = std::isnan(row.data_size) ? row.compute : row.data_size;
    keyed.push_back(
        {{groups(row.group), {rounded(row.model_size), rounded(data), rounded(row.unique_data)}},
         row.loss,
         runs(row.run),
         static_cast<uint32_t>(i)});
  }
  std::ranges::sort(keyed, [](const Keyed& a, const Keyed& b) {
    if (a.point != b.point) return a.point < b.point;
    if (a.loss != b.loss) return a.loss < b.loss;
    if (a.run != b.run) return a.run < b.run;
    return a.row < b.row;
  });
  return keyed;
}

// Losses with few digits agree by chance.
bool has_many_digits(double loss) {
  const double scaled = loss * std::pow(10, 3 - std::floor(std::log10(loss)));
  return std::abs(scaled - std::round(scaled)) > 1e-6;
}

void warn(TableRows& table, const char* code, std::vector<int64_t> lines, const std::string& what) {
  if (lines.empty()) return;
  std::ranges::sort(lines);
  const auto total = static_cast<int64_t>(lines.size());
  const std::string where = describe_lines(lines, total);
  lines.resize(std::min(lines.size(), kKeptLines));
  table.warnings.push_back(
      {code,
       fmt::format("{} ({}): {}", total == 1 ? "1 row" : fmt::format("{} rows", total), where,
                   what),
       std::move(lines)});
}

void find_duplicates(const std::vector<Keyed>& keyed, TableRows& table) {
  std::vector<int64_t> same_run, other_run;
  for (size_t i = 1; i < keyed.size(); ++i) {
    const Keyed &a = keyed[i - 1], &b = keyed[i];
    if (a.point != b.point || a.loss != b.loss) continue;
    const int64_t line = table.rows[b.row].line;
    if (a.run == b.run)
      same_run.push_back(line);
    else if (has_many_digits(b.loss))
      other_run.push_back(line);
  }
  table.duplicates = static_cast<int64_t>(same_run.size());
  warn(table, "duplicate", std::move(same_run),
       "the same run, sizes and loss as a row before; each weighs in the fit, and they are "
       "resampled together");
  warn(table, "repeated_loss", std::move(other_run),
       "the same sizes and loss, to all digits, as another run: a run listed twice under two "
       "names?");
}

// Rows first..last-1 are at one place, by rising loss.
struct Replicates {
  size_t first = 0, last = 0;
};
std::vector<Replicates> replicates_of(const std::vector<Keyed>& keyed) {
  std::vector<Replicates> sets;
  for (size_t first = 0, last = 0; first < keyed.size(); first = last) {
    for (last = first + 1; last < keyed.size() && keyed[last].point == keyed[first].point;) ++last;
    if (last - first > 1) sets.push_back({first, last});
  }
  return sets;
}

double log_ratio(const std::vector<Keyed>& keyed, size_t low, size_t high) {
  return std::log(keyed[high].loss / keyed[low].loss);
}

bool far_apart(const std::vector<Keyed>& keyed, Replicates set) {
  return log_ratio(keyed, set.first, set.last - 1) > std::log1p(kFarApart);
}

// Three standard deviations of the difference of two log losses, from the replicates that agree.
// 0 where these are so noisy that chance makes jumps of 1/ln 2.
double unit_tolerance(const std::vector<Keyed>& keyed, const std::vector<Replicates>& sets) {
  double squares = 0, freedom = 0;
  for (const Replicates& set : sets) {
    if (far_apart(keyed, set)) continue;
    double mean = 0;
    const auto count = static_cast<double>(set.last - set.first);
    for (size_t i = set.first; i < set.last; ++i) mean += log_ratio(keyed, set.first, i) / count;
    for (size_t i = set.first; i < set.last; ++i)
      squares += std::pow(log_ratio(keyed, set.first, i) - mean, 2);
    freedom += count - 1;
  }
  const double difference = freedom > 0 ? std::sqrt(2 * squares / freedom) : 0;
  return 7 * difference < kUnitJump ? std::max(3 * difference, kLeastTolerance) : 0;
}

// The index at which losses jump by 1/ln 2, between two sets that are close in themselves; 0 if
// they do not.
size_t unit_jump(const std::vector<Keyed>& keyed, Replicates set, double tolerance) {
  size_t at = set.first + 1;
  for (size_t i = set.first + 1; i < set.last; ++i)
    if (log_ratio(keyed, i - 1, i) > log_ratio(keyed, at - 1, at)) at = i;
  const double below = log_ratio(keyed, set.first, at - 1);
  const double above = log_ratio(keyed, at, set.last - 1);
  const double centres = log_ratio(keyed, set.first, at) + above / 2 - below / 2;
  const bool close = below < 2 * tolerance && above < 2 * tolerance;
  return close && std::abs(centres - kUnitJump) < tolerance ? at : 0;
}

[[noreturn]] void refuse_mixed_units(const std::filesystem::path& path,
                                     const std::vector<int64_t>& low,
                                     const std::vector<int64_t>& high, double low_loss,
                                     double high_loss) {
  throw Error(
      "data.mixed_units",
      fmt::format(
          "{}: at equal sizes the losses of {} are 1/ln 2 = 1.4427 times those of {} (as {:.6g} "
          "and {:.6g}): bits among nats",
          path.string(), describe_lines(high, static_cast<int64_t>(high.size())),
          describe_lines(low, static_cast<int64_t>(low.size())), high_loss, low_loss),
      "write all losses in one unit (bits = nats / 0.693147), or leave rows out with --where",
      whole_file(path));
}

void compare_replicates(const std::filesystem::path& path, const std::vector<Keyed>& keyed,
                        TableRows& table) {
  std::vector<int64_t> low, high, apart;
  size_t jumps = 0, far = 0;
  double low_loss = 0, high_loss = 0, largest = 0;
  const std::vector<Replicates> sets = replicates_of(keyed);
  const double tolerance = unit_tolerance(keyed, sets);
  for (const Replicates& set : sets) {
    if (!far_apart(keyed, set)) continue;
    ++far;
    largest = std::max(largest, log_ratio(keyed, set.first, set.last - 1));
    apart.push_back(table.rows[keyed[set.last - 1].row].line);
    const size_t jump = unit_jump(keyed, set, tolerance);
    if (jump == 0) continue;
    if (++jumps == 1) {
      low_loss = keyed[jump - 1].loss;
      high_loss = keyed[jump].loss;
    }
    for (size_t i = set.first; i < set.last; ++i)
      (i < jump ? low : high).push_back(table.rows[keyed[i].row].line);
  }
  if (jumps > 0 && 2 * jumps >= far) {
    std::ranges::sort(low);
    std::ranges::sort(high);
    refuse_mixed_units(path, low, high, low_loss, high_loss);
  }
  warn(table, "replicates_differ", std::move(apart),
       fmt::format("losses above those of rows of equal sizes by a factor of up to {:.4g}: "
                   "several experiments in one table need --group-column, several metrics --where, "
                   "and a factor of 1.44 is bits among nats",
                   std::exp(largest)));
}

void find_constants(TableRows& table) {
  const auto check = [&](const char* role, double Observation::*member) {
    double low = INFINITY, high = -INFINITY;
    int64_t count = 0;
    for (const Observation& row : table.rows) {
      if (row.status == ObservationStatus::diverged || std::isnan(row.*member)) continue;
      low = std::min(low, row.*member);
      high = std::max(high, row.*member);
      ++count;
    }
    if (count > 1 && low == high) table.constant.emplace_back(role);
  };
  check("model_size", &Observation::model_size);
  check("data_size", &Observation::data_size);
  check("compute", &Observation::compute);
  check("unique_data", &Observation::unique_data);
  check("loss", &Observation::loss);
  // A fixed model size is a design; a fixed loss is a wrong column.
  if (std::ranges::count(table.constant, "loss") > 0)
    table.warnings.push_back({"constant_loss", "the loss is the same in all rows", {}});
}

// C = 6 N D holds to some tens of percent for dense models; a unit that is off is off by powers of
// ten.
void compare_compute(TableRows& table) {
  if (table.data_from_compute) return;
  std::vector<double> ratios;
  for (const Observation& row : table.rows) {
    const double ratio = row.compute / (6 * row.model_size * row.data_size);
    if (std::isfinite(ratio)) ratios.push_back(ratio);
  }
  if (ratios.empty()) return;
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
  std::nth_element(ratios.begin(), middle, ratios.end());
  if (*middle < 0.1 || *middle > 10)
    table.warnings.push_back(
        {"compute_differs",
         fmt::format(
             "the compute is {:.3g} times 6 N D in the middle row: are all in single parameters, "
             "tokens and FLOPs?",
             *middle),
         {}});
}

void find_scaled_sizes(TableRows& table) {
  double largest = 0;
  for (const Observation& row : table.rows) largest = std::fmax(largest, row.model_size);
  if (largest > 0 && largest < 1000)
    table.warnings.push_back(
        {"small_model_size",
         fmt::format(
             "the largest model size is {:.4g}: counted in millions or billions? Call the column "
             "`params_M` or `params_B`, and it is read as such",
             largest),
         {}});
}

}  // namespace

std::string describe_lines(const std::vector<int64_t>& lines, int64_t total) {
  std::vector<std::string> ranges;
  size_t next = 0;
  while (next < lines.size() && ranges.size() < 10) {
    const size_t first = next;
    while (++next < lines.size() && lines[next] == lines[next - 1] + 1) continue;
    ranges.push_back(
        next - first < 3
            ? fmt::format("{}", fmt::join(lines.begin() + static_cast<std::ptrdiff_t>(first),
                                          lines.begin() + static_cast<std::ptrdiff_t>(next), ", "))
            : fmt::format("{}-{}", lines[first], lines[next - 1]));
  }
  const auto rest = total - static_cast<int64_t>(next);
  return fmt::format("line{} {}{}", total == 1 ? "" : "s", fmt::join(ranges, ", "),
                     rest > 0 ? fmt::format(" and {} more", rest) : "");
}

void check_rows(const std::filesystem::path& path, TableRows& table) {
  const std::vector<Keyed> keyed = sorted_by_point(table.rows);
  compare_replicates(path, keyed, table);
  find_duplicates(keyed, table);
  find_constants(table);
  compare_compute(table);
  find_scaled_sizes(table);
}

}  // namespace assay
