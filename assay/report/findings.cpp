// Sentences about rankings and gains.
#include "assay/report/findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "assay/report/text.h"

namespace assay::report {

// Beyond this many objectives a sentence names the first and counts the rest: figures show them
// all.
constexpr size_t kMost = 8, kShown = 6, kLeaders = 3;
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
    return fmt::format("{} is highest for {}: {}", what, items[0].name,
                       join(shortened(values), ", "));
  if (items.size() > kMost) {
    values.resize(kLeaders);
    return fmt::format(
        "{}: the intervals of {} of {} objectives overlap with the highest; first {}", what,
        tied.size() - 1, items.size(), join(values, ", "));
  }
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

std::vector<std::string> shortened(std::vector<std::string> items) {
  if (items.size() <= kMost) return items;
  const size_t rest = items.size() - kShown;
  items.resize(kShown);
  items.push_back(fmt::format("and {} more", rest));
  return items;
}

namespace {

// Many objectives: who gains most, and the names of those that do not gain.
std::string gains_in_short(std::vector<Named> gains) {
  std::stable_sort(gains.begin(), gains.end(), [](const Named& a, const Named& b) {
    return a.estimate.value > b.estimate.value;
  });
  std::vector<std::string> gain, open, lose;
  for (const Named& item : gains) {
    if (item.estimate.above(0))
      gain.push_back(gain_words(item));
    else
      (item.estimate.below(0) ? lose : open).push_back(item.name);
  }
  const size_t count = gain.size();
  std::string out =
      fmt::format("{} of {} objectives gain: {}", count, gains.size(), join(shortened(gain), "; "));
  if (!open.empty()) out += fmt::format(". Not learned at this budget: {}", join(open, ", "));
  if (!lose.empty()) out += fmt::format(". Below random init: {}", join(lose, ", "));
  return out;
}

}  // namespace

std::string gains_sentence(const std::vector<Named>& gains) {
  if (gains.size() > kMost) return gains_in_short(gains);
  std::vector<std::string> words;
  for (const Named& gain : gains) words.push_back(gain_words(gain));
  return join(words, "; ");
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
