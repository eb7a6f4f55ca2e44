// Sentences about rankings and gains.
#include "assay/report/findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "assay/report/text.h"

namespace assay::report {
namespace {

std::string named_text(const Named& item, const std::string& unit) {
  return fmt::format("{} {}{}", item.name, estimate_text(item.estimate, unit),
                     item.estimate.interval == "meter" ? " (one seed)" : "");
}

}  // namespace

std::string ranking_sentence(std::vector<Named> items, const std::string& what,
                             const std::string& unit) {
  std::erase_if(items, [](const Named& item) { return !item.estimate.known(); });
  if (items.empty()) return fmt::format("{} was not measured at the end of the budget", what);
  std::stable_sort(items.begin(), items.end(), [](const Named& a, const Named& b) {
    return a.estimate.value > b.estimate.value;
  });
  if (items.size() == 1) return fmt::format("{}: {}", what, named_text(items[0], unit));

  std::vector<std::string> tied = {items[0].name};
  for (size_t i = 1; i < items.size(); ++i)
    if (!separated(items[0].estimate, items[i].estimate)) tied.push_back(items[i].name);
  std::vector<std::string> values;
  for (const Named& item : items) values.push_back(named_text(item, unit));
  if (tied.size() == 1)
    return fmt::format("{} is highest for {}: {}", what, items[0].name, join(values, ", "));
  return fmt::format("{}: cannot tell {} apart, their intervals overlap ({})", what, join_and(tied),
                     join(values, ", "));
}

std::string gain_words(const Named& item) {
  const Estimate& gain = item.estimate;
  if (!gain.known()) return fmt::format("{}: {}", item.name, gain.note);
  const std::string value = fmt::format("{}{}", estimate_text(gain, "bits"),
                                        gain.interval == "meter" ? ", one seed" : "");
  if (gain.above(0)) return fmt::format("{} gains {}", item.name, value);
  if (gain.below(0)) return fmt::format("{} loses {}", item.name, value);
  return fmt::format("{}: not learned at this budget ({})", item.name, value);
}

std::string main_readout(const ReportData& data) {
  const std::vector<std::string> readouts = label_values(data, "probe", "bits", "readout");
  if (readouts.empty()) return "";
  const bool attentive = std::find(readouts.begin(), readouts.end(), "attentive") != readouts.end();
  return attentive ? "attentive" : readouts.front();
}

Query gain_query(const ReportData& data, const std::string& readout) {
  return {"probe", "bits_gain", {{"factor", headline_factor(data)}, {"readout", readout}}};
}

std::vector<Named> values_at_end(const ReportData& data, std::pair<int64_t, int64_t> size,
                                 const Query& query) {
  std::vector<Named> values;
  for (const Arm* arm : data.arms_of(size))
    values.push_back({arm->label(), at_end(data, *arm, query).estimate});
  return values;
}

}  // namespace assay::report
