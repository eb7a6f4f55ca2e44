// Arms and curves.
#include "assay/report/report_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "assay/report/text.h"

namespace assay::report {
namespace {

/// Settings that do not tell arms apart: the seed, names, and what is measured.
bool distinguishes(const std::string& path) {
  return path != "train.seed" && path != "name" && path != "format" &&
         !path.starts_with("measure.");
}

std::map<std::string, std::string> identity(const Trial& trial) {
  std::map<std::string, std::string> settings;
  for (const auto& [path, value] : trial.settings)
    if (distinguishes(path)) settings[path] = value;
  return settings;
}

/// Its settings without the budget, by which arms of a scaling study differ.
std::map<std::string, std::string> design_of(const Arm& arm) {
  auto settings = identity(*arm.trials.front());
  std::erase_if(settings, [](const auto& one) { return one.first.starts_with("train.budget"); });
  return settings;
}

void mark_largest_budgets(std::vector<Arm>& arms) {
  std::map<std::map<std::string, std::string>, double> largest;
  for (const Arm& arm : arms) {
    double& flops = largest[design_of(arm)];
    flops = std::max(flops, arm.trials.front()->planned_flops);
  }
  for (Arm& arm : arms)
    arm.largest_budget = arm.trials.front()->planned_flops >= largest[design_of(arm)];
}

bool same_cell(const Arm& a, const Arm& b) {
  return a.objective == b.objective && a.width == b.width && a.depth == b.depth;
}

/// Names each arm by the settings in which arms of the same objective and size differ.
void name_variants(std::vector<Arm>& arms) {
  for (Arm& arm : arms) {
    std::set<std::string> differing;
    const auto own = identity(*arm.trials.front());
    for (const Arm& other : arms) {
      if (&other == &arm || !same_cell(arm, other)) continue;
      if (arm.largest_budget && !other.largest_budget) continue;
      for (const auto& [path, value] : identity(*other.trials.front())) {
        const auto it = own.find(path);
        if (it == own.end() || it->second != value) differing.insert(path);
      }
    }
    std::vector<std::string> words;
    for (const std::string& path : differing) {
      const auto it = own.find(path);
      words.push_back(fmt::format("{} = {}", path.substr(path.rfind('.') + 1),
                                  it == own.end() ? "none" : it->second));
    }
    arm.variant = join(words, ", ");
  }
}

template <typename T>
void add_new(std::vector<T>& list, const T& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

std::string label_or(const Measurement& m, const std::string& key, const std::string& fallback) {
  const auto it = m.labels.find(key);
  return it == m.labels.end() ? fallback : it->second;
}

}  // namespace

std::string Arm::label() const {
  return variant.empty() ? objective : fmt::format("{} ({})", objective, variant);
}

size_t ReportData::trials_with(const std::string& status) const {
  return static_cast<size_t>(std::count_if(study.trials.begin(), study.trials.end(),
                                           [&](const Trial& t) { return t.status == status; }));
}

std::vector<const Arm*> ReportData::arms_of(std::pair<int64_t, int64_t> size) const {
  std::vector<const Arm*> found = all_arms_of(size);
  std::erase_if(found, [](const Arm* arm) { return !arm->largest_budget; });
  return found;
}

std::vector<const Arm*> ReportData::all_arms_of(std::pair<int64_t, int64_t> size) const {
  std::vector<const Arm*> found;
  for (const std::string& objective : objectives)
    for (const Arm& arm : arms)
      if (arm.objective == objective && std::pair(arm.width, arm.depth) == size)
        found.push_back(&arm);
  return found;
}

std::string ReportData::size_text(std::pair<int64_t, int64_t> size) const {
  const bool several_depths =
      std::any_of(sizes.begin(), sizes.end(), [&](auto s) { return s.second != size.second; });
  return several_depths ? fmt::format("width {}, depth {}", size.first, size.second)
                        : fmt::format("width {}", size.first);
}

ReportData arrange(StudyRecords study) {
  ReportData data;
  data.study = std::move(study);
  std::vector<std::map<std::string, std::string>> identities;
  for (const Trial& trial : data.study.trials) {
    add_new(data.objectives, trial.objective);
    add_new(data.sizes, std::pair(trial.width, trial.depth));
    for (const Measurement& m : trial.measurements)
      if (trial.counts()) data.final_fraction = std::max(data.final_fraction, m.fraction);
    const auto settings = identity(trial);
    const auto it = std::find(identities.begin(), identities.end(), settings);
    if (it == identities.end()) {
      identities.push_back(settings);
      data.arms.push_back({trial.objective, trial.data, trial.width, trial.depth, "", {&trial}});
    } else {
      data.arms[static_cast<size_t>(it - identities.begin())].trials.push_back(&trial);
    }
  }
  std::sort(data.sizes.begin(), data.sizes.end());
  mark_largest_budgets(data.arms);
  name_variants(data.arms);
  return data;
}

bool matches(const Measurement& m, const Query& query) {
  if (m.meter != query.meter || m.quantity != query.quantity) return false;
  static const std::map<std::string, std::string> kDefaults = {{"group", "trunk"},
                                                               {"metric", "euclidean"},
                                                               {"weights", "averaged"},
                                                               {"level", ""},
                                                               {"band", ""},
                                                               {"part", ""},
                                                               {"null", ""},
                                                               {"with", ""},
                                                               {"objective", ""}};
  for (const auto& [key, wanted] : query.labels)
    if (label_or(m, key, "") != wanted) return false;
  for (const auto& [key, fallback] : kDefaults)
    if (!query.labels.contains(key) && label_or(m, key, fallback) != fallback &&
        !(key == "weights" && label_or(m, key, "") == "initial"))
      return false;
  return true;
}

std::vector<Point> curve(const Arm& arm, const Query& query) {
  std::map<double, Point> points;
  const std::string key = fmt::format("{}/{}", query.meter, query.quantity);
  for (const Trial* trial : arm.trials) {
    const auto found = trial->by_quantity.find(key);
    if (found == trial->by_quantity.end()) continue;
    for (const size_t index : found->second) {
      const Measurement& m = trial->measurements[index];
      if (!matches(m, query)) continue;
      Point& point = points[m.fraction];
      point.fraction = m.fraction;
      point.unit = m.unit;
      point.method = m.method;
      Replicate replicate{trial->id, trial->seed, trial->counts(), m.value, m.low,
                          m.high,    m.n,         m.note};
      // Measured again later (`assay measure`): the later one counts.
      std::erase_if(point.replicates, [&](const Replicate& r) { return r.trial == trial->id; });
      point.flops += (m.flops - point.flops) / static_cast<double>(point.replicates.size() + 1);
      point.replicates.push_back(std::move(replicate));
    }
  }
  std::vector<Point> sorted;
  for (auto& [fraction, point] : points) {
    point.estimate = over_seeds(point.replicates);
    sorted.push_back(std::move(point));
  }
  return sorted;
}

Point at_end(const ReportData& data, const Arm& arm, const Query& query) {
  std::vector<Point> points = curve(arm, query);
  if (points.empty()) return {.estimate = over_seeds({})};
  Point last = std::move(points.back());
  if (last.fraction < data.final_fraction)
    last.estimate = {
        .note = fmt::format("measured only up to {} of the budget", percent_text(last.fraction))};
  return last;
}

std::vector<std::string> label_values(const ReportData& data, const std::string& meter,
                                      const std::string& quantity, const std::string& label) {
  std::set<std::string> found;
  for (const Trial& trial : data.study.trials)
    for (const Measurement& m : trial.measurements)
      if (m.meter == meter && m.quantity == quantity && m.labels.contains(label))
        found.insert(m.labels.at(label));
  std::vector<std::string> values(found.begin(), found.end());
  const auto order = [](const std::string& a, const std::string& b) {
    // "layer.10" after "layer.9".
    return std::pair(a.size(), a) < std::pair(b.size(), b);
  };
  const bool numbered = std::all_of(values.begin(), values.end(), [](const std::string& v) {
    return !v.empty() && std::isdigit(static_cast<unsigned char>(v.back()));
  });
  if (numbered) std::sort(values.begin(), values.end(), order);
  return values;
}

std::string headline_factor(const ReportData& data) {
  const std::vector<std::string> factors = label_values(data, "probe", "bits", "factor");
  if (factors.empty()) return "";
  const bool summed = std::find(factors.begin(), factors.end(), "all") != factors.end();
  return summed ? "all" : factors.front();
}

}  // namespace assay::report
