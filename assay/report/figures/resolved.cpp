// SNR at the end of the budget, resolved by noise level, spatial-frequency band and layer.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "assay/report/figures/figures.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

using Size = std::pair<int64_t, int64_t>;

const std::string kMeter = "objective_snr", kQuantity = "snr_per_example";

struct Resolution {
  std::string label;                // group | level | band
  std::vector<std::string> values;  // of the label
  std::string x_title;
  std::string quantity = kQuantity, y_title = "SNR per example";
  std::map<std::string, std::string> labels{};  // besides
};

Figure resolved_figure(const ReportData& data, const std::string& id, const Resolution& by) {
  Figure figure{.id = id, .x_name = by.label, .shared_y = true};
  if (by.values.empty()) return figure;
  for (const Size& size : data.sizes) {
    Panel panel{.title = data.size_text(size),
                .x_title = by.x_title,
                .y_title = by.y_title,
                .categories = by.values};
    for (const Arm* arm : data.arms_of(size)) {
      Series series{.label = arm->label(), .objective = arm->objective, .unit = "1"};
      for (const std::string& value : by.values) {
        std::map<std::string, std::string> labels = by.labels;
        labels[by.label] = value;
        Point point = at_end(data, *arm, {kMeter, by.quantity, std::move(labels)});
        if (!point.replicates.empty())
          series.marks.push_back({kMissing, value, point.estimate, std::move(point.replicates)});
      }
      if (!series.marks.empty()) panel.series.push_back(std::move(series));
    }
    if (!panel.series.empty()) figure.panels.push_back(std::move(panel));
  }
  if (by.quantity == kQuantity) use_symlog(figure.panels);
  return figure;
}

/// Where the SNR of one objective is highest, if the intervals allow to say; "" if they do not.
std::string peak(const Series& series, const std::string& at) {
  const Mark *highest = nullptr, *second = nullptr, *lowest = nullptr;
  for (const Mark& mark : series.marks) {
    if (!mark.estimate.known()) continue;
    const double value = mark.estimate.value;
    if (!highest || value > highest->estimate.value) {
      second = highest;
      highest = &mark;
    } else if (!second || value > second->estimate.value) {
      second = &mark;
    }
    if (!lowest || value < lowest->estimate.value) lowest = &mark;
  }
  if (!second || !separated(highest->estimate, lowest->estimate)) return "";
  if (separated(highest->estimate, second->estimate))
    return fmt::format("{} {}{}", series.label, at, highest->category);
  return fmt::format("{} higher {}{} than {}{}", series.label, at, highest->category, at,
                     lowest->category);
}

/// The same for every objective of the largest size.
std::string peaks(const Figure& figure, const std::string& at) {
  std::vector<std::string> words, unresolved;
  for (const Series& series : figure.panels.back().series) {
    const std::string found = peak(series, at);
    if (found.empty()) {
      unresolved.push_back(series.label);
    } else {
      words.push_back(found);
    }
  }
  if (!unresolved.empty())
    words.push_back(fmt::format("no difference resolved for {}", join_and(unresolved)));
  return join(words, "; ");
}

/// Objectives that have no such resolution: said, so that their absence is not taken for an
/// omission.
std::string absent(const ReportData& data, const Figure& figure, const std::string& what) {
  std::vector<std::string> words;
  for (const std::string& objective : data.objectives) {
    bool drawn = false;
    for (const Panel& panel : figure.panels)
      for (const Series& series : panel.series) drawn = drawn || series.objective == objective;
    if (!drawn) words.push_back(objective);
  }
  return words.empty() ? "" : fmt::format("No {} measured for {}. ", what, join_and(words));
}

/// "layer.0", … in the order of the model.
std::vector<std::string> layers_of(const ReportData& data) {
  std::vector<std::string> groups;
  for (const std::string& group : label_values(data, kMeter, kQuantity, "group"))
    if (group.starts_with("layer.")) groups.push_back(group);
  std::sort(groups.begin(), groups.end(), [](const std::string& a, const std::string& b) {
    return std::pair(a.size(), a) < std::pair(b.size(), b);
  });
  return groups;
}

}  // namespace

Figure level_figure(const ReportData& data) {
  Figure figure = resolved_figure(
      data, "level",
      {"level", label_values(data, kMeter, kQuantity, "level"), "noise level (0 = cleanest)"});
  if (figure.panels.empty()) return figure;
  figure.title =
      fmt::format("Where along the noise levels SNR is highest: {}", peaks(figure, "at level "));
  figure.caption = fmt::format(
      "SNR of the trunk's gradient from microbatches of one noise level, at the end of the budget, "
      "averaged weights. Levels are bins of equal probability under the objective's own law; 0 is "
      "the "
      "cleanest. {}{}",
      absent(data, figure, "noise levels"),
      symlog_caption(figure.panels) + interval_caption(figure.panels));
  return figure;
}

Figure band_figure(const ReportData& data) {
  Figure figure = resolved_figure(
      data, "band",
      {"band", label_values(data, kMeter, kQuantity, "band"), "spatial-frequency band"});
  if (figure.panels.empty()) return figure;
  figure.title =
      fmt::format("Where along spatial frequency SNR is highest: {}", peaks(figure, "at "));
  figure.caption = fmt::format(
      "SNR of the gradient of each band's share of the loss (octaves of a cosine transform of the "
      "error, "
      "lowest first), at the end of the budget, averaged weights. {}{}",
      absent(data, figure, "bands"),
      symlog_caption(figure.panels) + interval_caption(figure.panels));
  return figure;
}

Figure layer_figure(const ReportData& data) {
  std::vector<std::string> groups = layers_of(data);
  groups.insert(groups.begin(), "trunk");
  groups.push_back("head");
  Figure figure = resolved_figure(data, "layer", {"group", groups, "part of the model"});
  if (figure.panels.empty()) return figure;
  figure.title = fmt::format("Where in the model SNR is highest: {}", peaks(figure, "in "));
  figure.caption = fmt::format(
      "SNR per example by layer at the end of the budget, averaged weights. The trunk holds all "
      "layers "
      "and is what objectives share; heads differ between objectives and are not compared. {}",
      symlog_caption(figure.panels) + interval_caption(figure.panels));
  return figure;
}

Figure metric_figure(const ReportData& data) {
  std::vector<std::string> metrics = {"euclidean"};
  for (const char* metric : {"adam", "function"})
    if (std::ranges::count(label_values(data, kMeter, kQuantity, "metric"), metric) > 0)
      metrics.push_back(metric);
  Figure figure{.id = "metric"};
  if (metrics.size() < 2) return figure;
  figure = resolved_figure(data, "metric", {"metric", metrics, "metric of the gradient"});
  if (figure.panels.empty()) return figure;
  figure.title = fmt::format("Under which metric SNR is highest: {}", peaks(figure, "under "));
  figure.caption = fmt::format(
      "SNR per example of the trunk's gradient at the end of the budget, averaged weights. "
      "Euclidean: all parameters alike. Adam: each weighed by its step under AdamW. Function: the "
      "motion of held-out features under AdamW's step, in which parameters that move no feature do "
      "not count and neither does the parameterisation (`assay measure snr --by function`). {}",
      symlog_caption(figure.panels) + interval_caption(figure.panels));
  return figure;
}

Figure alignment_figure(const ReportData& data) {
  Figure figure{.id = "alignment", .x_name = "part"};
  for (const auto& [label, x_title] : {std::pair("level", "noise level (0 = cleanest)"),
                                       std::pair("band", "spatial-frequency band")}) {
    Figure by = resolved_figure(data, "",
                                {.label = label,
                                 .values = label_values(data, kMeter, "alignment", label),
                                 .x_title = x_title,
                                 .quantity = "alignment",
                                 .y_title = "cosine with the whole gradient",
                                 .labels = {{"with", "whole"}}});
    figure.panels.insert(figure.panels.end(), by.panels.begin(), by.panels.end());
  }
  if (figure.panels.empty()) return figure;
  figure.title = "Which noise levels and bands pull the way the whole objective does";
  figure.caption = fmt::format(
      "Cosine of the gradient of one level or band with the whole one, trunk, at the end of the "
      "budget, averaged weights, from products of different examples only: noise that both share "
      "does not look like agreement. Below 0 a part works against the rest. Drawn where both "
      "signals are resolved from 0. {}",
      interval_caption(figure.panels));
  return figure;
}

namespace {

/// Colours cells that are resolved from 0 by the logarithm of their value.
void colour(Table& table) {
  double low = INFINITY, high = -INFINITY;
  const auto each = [&](auto&& see) {
    for (std::vector<TableCell>& row : table.rows)
      for (TableCell& cell : row)
        if (cell.tone != "quiet" && cell.value > 0) see(cell);
  };
  each([&](const TableCell& cell) {
    low = std::min(low, std::log(cell.value));
    high = std::max(high, std::log(cell.value));
  });
  each([&](TableCell& cell) {
    cell.heat = high > low ? (std::log(cell.value) - low) / (high - low) : 1;
  });
}

}  // namespace

Table layer_level_table(const ReportData& data) {
  Table table{
      .id = "layer-level",
      .title = "SNR by layer and noise level at the end of the budget",
      .caption =
          "SNR per example of each layer's gradient from microbatches of one noise "
          "level, averaged weights; largest model. The darker the higher, on a log scale; "
          "uncoloured where the interval includes 0. From `assay measure snr --by layer,level`.",
      .columns = {"objective", "part of the model"}};
  const std::vector<std::string> levels = label_values(data, kMeter, kQuantity, "level");
  for (const std::string& level : levels) table.columns.push_back("level " + level);
  for (const Arm* arm : data.arms_of(data.sizes.back()))
    for (const std::string& group : layers_of(data)) {
      std::vector<TableCell> row = {{arm->label()}, {group}};
      bool any = false;
      for (const std::string& level : levels) {
        const Estimate snr =
            at_end(data, *arm, {kMeter, kQuantity, {{"group", group}, {"level", level}}}).estimate;
        any = any || snr.known();
        row.push_back(cell(snr));
        if (snr.known() && !snr.above(0)) row.back().tone = "quiet";
      }
      if (any) table.rows.push_back(std::move(row));
    }
  colour(table);
  return table;
}

}  // namespace assay::report
