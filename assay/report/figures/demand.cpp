// What an objective asks for: its target SNR along training, by noise level, and the share of its
// gradient that depends on which input a target belongs to.
#include <fmt/format.h>

#include <algorithm>

#include "assay/report/figures/figures.h"
#include "assay/report/findings.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

using Size = std::pair<int64_t, int64_t>;
using Labels = std::map<std::string, std::string>;

const std::string kMeter = "demand", kQuantity = "target_snr";

bool any_known(const std::vector<Point>& points) {
  return std::any_of(points.begin(), points.end(),
                     [](const Point& point) { return point.estimate.known(); });
}

/// Terms of an arm that have a target SNR; regularisers have none.
std::vector<std::string> terms_of(const ReportData& data, const Arm& arm) {
  std::vector<std::string> terms;
  for (const std::string& term : label_values(data, kMeter, "null_loss", "term"))
    if (!curve(arm, {kMeter, "null_loss", {{"term", term}}}).empty()) terms.push_back(term);
  return terms;
}

std::string name_of(const Arm& arm, const std::string& term, size_t terms) {
  return terms > 1 ? fmt::format("{}: {}", arm.label(), term) : arm.label();
}

/// One series a term of every arm of a size; `where` = the noise level, or nothing.
void add_panel(const ReportData& data, const Size& size, const std::string& title,
               const Labels& where, Figure& figure) {
  Panel panel{.title = title, .x_title = "training FLOPs", .y_title = "target SNR"};
  for (const Arm* arm : data.arms_of(size)) {
    const std::vector<std::string> terms = terms_of(data, *arm);
    for (const std::string& term : terms) {
      Labels labels = where;
      labels["term"] = term;
      const std::vector<Point> points = curve(*arm, {kMeter, kQuantity, labels});
      if (!any_known(points)) continue;
      Series series = series_of(*arm, points);
      series.label = name_of(*arm, term, terms.size());
      panel.series.push_back(std::move(series));
    }
  }
  if (!panel.series.empty()) figure.panels.push_back(std::move(panel));
}

/// Values of all terms at the end of the budget, by name.
std::vector<Named> at_the_end(const ReportData& data, const Size& size) {
  std::vector<Named> out;
  for (const Arm* arm : data.arms_of(size)) {
    const std::vector<std::string> terms = terms_of(data, *arm);
    for (const std::string& term : terms)
      out.push_back({name_of(*arm, term, terms.size()),
                     at_end(data, *arm, {kMeter, kQuantity, {{"term", term}}}).estimate});
  }
  return out;
}

}  // namespace

Figure demand_figure(const ReportData& data) {
  Figure figure{.id = "demand", .shared_y = true};
  for (const Size& size : data.sizes) add_panel(data, size, data.size_text(size), {}, figure);
  if (figure.panels.empty()) return figure;
  use_symlog(figure.panels);
  figure.title =
      fmt::format("Demand: {} ({})",
                  ranking_sentence(at_the_end(data, data.sizes.back()),
                                   "predictable over unpredictable part of the target", ""),
                  data.size_text(data.sizes.back()));
  figure.caption = fmt::format(
      "Held-out (L_null − L)/L against the best prediction that does not see the input: R²/(1 − "
      "R²) "
      "for squared errors, nats gained over nats left for classes; for densities 2^(2 bits) − 1. "
      "Below 0: worse than no input. A stock, not a rate: it grows towards what a longer run could "
      "predict, and an easy target that holds nuisance scores high. Averaged weights. {}{}",
      symlog_caption(figure.panels), interval_caption(figure.panels));
  return figure;
}

Figure demand_level_figure(const ReportData& data) {
  Figure figure{.id = "demand_levels", .shared_y = true};
  const Size size = data.sizes.empty() ? Size{} : data.sizes.back();
  for (const std::string& level : label_values(data, kMeter, kQuantity, "level"))
    if (!level.empty())
      add_panel(data, size, fmt::format("noise level {}, {}", level, data.size_text(size)),
                {{"level", level}}, figure);
  if (figure.panels.empty()) return figure;
  use_symlog(figure.panels);
  figure.title = "Demand by noise level (0 = cleanest)";
  figure.caption = fmt::format(
      "Target SNR as above, of the examples whose noise level fell into one bin, largest model; "
      "objectives without noise levels are not shown. {}{}",
      symlog_caption(figure.panels), interval_caption(figure.panels));
  return figure;
}

Table demand_table(const ReportData& data) {
  Table table{
      .id = "demand-table",
      .title = "What the objectives ask for at the end of the budget",
      .caption =
          "Null loss: per target, of the best prediction without input. Conditional share: part of "
          "the trunk's gradient, along the gradient, that is gone when targets are shuffled across "
          "examples; the rest moves the prediction towards what all targets have in common. It can "
          "leave 0 to 1 when the two parts oppose each other.",
      .columns = {"objective", "size", "term", "null loss", "target SNR", "bits gained",
                  "conditional share", "conditional signal"}};
  for (const Size& size : data.sizes)
    for (const Arm* arm : data.arms_of(size))
      for (const std::string& term : terms_of(data, *arm)) {
        const auto value = [&](const char* quantity, const Labels& labels) {
          return at_end(data, *arm, {kMeter, quantity, labels});
        };
        const Labels of_term = {{"term", term}};
        const Point null = value("null_loss", of_term);
        const auto if_measured = [&](const char* quantity, const Labels& labels) {
          const Point point = value(quantity, labels);
          return point.replicates.empty() ? TableCell{""} : cell(point.estimate);
        };
        table.rows.push_back({{arm->label()},
                              {data.size_text(size)},
                              {term},
                              cell(null.estimate, null.unit),
                              cell(value(kQuantity.c_str(), of_term).estimate),
                              if_measured("bits_gained", of_term),
                              if_measured("conditional_share", {}),
                              if_measured("conditional_signal", {})});
      }
  return table;
}

}  // namespace assay::report
