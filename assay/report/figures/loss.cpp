// Held-out loss of each objective: never compared across objectives.
#include <fmt/format.h>

#include <algorithm>

#include "assay/report/figures/figures.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

const std::string kMeter = "heldout_loss", kQuantity = "loss_per_target";

/// Terms for which the whole loss (not only its cells) of this objective was measured.
std::vector<std::string> terms_of(const ReportData& data, const std::string& objective) {
  std::vector<std::string> terms;
  for (const std::string& term : label_values(data, kMeter, kQuantity, "term"))
    for (const Arm& arm : data.arms)
      if (arm.objective == objective &&
          !curve(arm, {kMeter, kQuantity, {{"term", term}}}).empty()) {
        terms.push_back(term);
        break;
      }
  return terms;
}

}  // namespace

Figure loss_figure(const ReportData& data) {
  Figure figure{.id = "loss"};
  std::vector<std::string> words;
  for (const std::string& objective : data.objectives) {
    const std::vector<std::string> terms = terms_of(data, objective);
    for (const std::string& term : terms) {
      Panel panel{.title = terms.size() > 1 ? fmt::format("{}: {}", objective, term) : objective,
                  .x_title = "training FLOPs"};
      for (const Arm& arm : data.arms) {
        if (arm.objective != objective || !arm.largest_budget) continue;
        Series series = series_of(arm, curve(arm, {kMeter, kQuantity, {{"term", term}}}));
        if (series.marks.empty()) continue;
        const std::string size = data.size_text({arm.width, arm.depth});
        series.label = arm.variant.empty() ? size : fmt::format("{}, {}", size, arm.variant);
        panel.y_title = fmt::format("{} per target", series.unit);
        const double start = series.marks.front().estimate.value;
        const double end = series.marks.back().estimate.value;
        if (std::pair(arm.width, arm.depth) == data.sizes.back() && start > 0 && end == end)
          words.push_back(fmt::format("{} {}", panel.title, percent_text(end / start - 1)));
        panel.series.push_back(std::move(series));
      }
      if (!panel.series.empty()) figure.panels.push_back(std::move(panel));
    }
  }
  if (figure.panels.empty()) return figure;
  figure.title = words.empty() ? "Held-out loss along training"
                               : fmt::format("Held-out loss from start to end of training, {}: {}",
                                             data.size_text(data.sizes.back()), join(words, ", "));
  figure.caption = fmt::format(
      "Loss per target on held-out examples at averaged weights; lower is better. Each panel has a "
      "unit and a target of its own: compare sizes within a panel, never losses across panels. {}",
      interval_caption(figure.panels));
  return figure;
}

}  // namespace assay::report
