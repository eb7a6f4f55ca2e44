// Scaling laws over training FLOPs: what was measured, the law at each model size, its way beyond.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "assay/report/figures/figures.h"
#include "assay/report/figures/law_views.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

constexpr int kWithin = 12, kBeyond = 6;  // points of a curve
constexpr double kReach = 10;             // times the largest data size

std::map<double, std::vector<Observation>> by_size(const OutcomeLaws& of, const FittedLaw& law) {
  std::map<double, std::vector<Observation>> sizes;
  for (const Observation& row : of.outcome.rows)
    if (row.group == law.group && row.status != ObservationStatus::diverged)
      sizes[row.model_size].push_back(row);
  return sizes;
}

Mark law_mark(const FittedLaw& law, const Observation& at) {
  const Form& form = *law.problem.form;
  Mark mark{.x = at.compute};
  mark.estimate.value = predict(form, law.fit.parameters, at);
  mark.estimate.n = law.fit.rows;
  if (!law.resamples || law.resamples->kept < 20) return mark;
  const LawLimits limits = law.resamples->interval_of(
      [&](std::span<const double> parameters) { return predict(form, parameters, at); });
  mark.estimate.low = limits.low;
  mark.estimate.high = limits.high;
  mark.estimate.interval = "bootstrap";
  return mark;
}

/// Data sizes from `from` to `to`, evenly in the logarithm, at FLOPs in proportion.
std::vector<Mark> curve_marks(const FittedLaw& law, const Observation& base, double from, double to,
                              int points) {
  std::vector<Mark> marks;
  for (int i = 0; i < points; ++i) {
    Observation at = base;
    at.data_size = from * std::pow(to / from, static_cast<double>(i) / (points - 1));
    at.unique_data = at.data_size;
    at.compute = base.compute * at.data_size / base.data_size;
    marks.push_back(law_mark(law, at));
  }
  return marks;
}

void add_size(const OutcomeLaws& of, const FittedLaw& law, const std::vector<Observation>& rows,
              int place, Panel& panel) {
  const auto less = [](const Observation& a, const Observation& b) {
    return a.data_size < b.data_size;
  };
  const auto [least, most] = std::ranges::minmax_element(rows, less);
  const Series start{.label = fmt::format("N = {}", count_of(rows.front().model_size)),
                     .objective = law.group,
                     .unit = of.outcome.unit,
                     .palette = place};
  Series points = start, bounds = start;
  points.drawn = "points";
  bounds.drawn = "bounds";
  for (const Observation& row : rows) {
    Mark mark{.x = row.compute};
    mark.estimate.value = row.loss;
    mark.estimate.n = 1;
    const bool bound = row.status == ObservationStatus::upper_bound;
    (bound ? bounds : points).marks.push_back(std::move(mark));
  }
  panel.series.push_back(std::move(points));
  if (!bounds.marks.empty()) panel.series.push_back(std::move(bounds));
  if (!law.fit.usable()) return;
  Series within = start, beyond = start;
  within.drawn = "curve";
  if (most->data_size > least->data_size)
    within.marks = curve_marks(law, *most, least->data_size, most->data_size, kWithin);
  if (!within.marks.empty()) panel.series.push_back(std::move(within));
  if (!law.identifiable()) return;  // beyond its own trials such a law is luck
  beyond.drawn = "extrapolated";
  beyond.marks = curve_marks(law, *most, most->data_size, kReach * most->data_size, kBeyond);
  panel.series.push_back(std::move(beyond));
}

void add_floor(const FittedLaw& law, Panel& panel) {
  const size_t j = law.problem.form->index("E");
  if (j >= law.problem.form->size() || !law.identifiable() || !(law.fit.parameters[j] > 0)) return;
  double low = INFINITY, high = 0;
  for (const Series& series : panel.series)
    for (const Mark& mark : series.marks) {
      low = std::min(low, mark.x);
      high = std::max(high, mark.x);
    }
  Series floor{.label = "E", .drawn = "floor"};
  for (const double x : {low, high}) {
    Mark mark{.x = x};
    mark.estimate = estimate_of(law, j);
    floor.marks.push_back(std::move(mark));
  }
  panel.series.push_back(std::move(floor));
}

/// Linear below the smallest value, so logarithmic wherever there is one.
void use_logarithm(Panel& panel) {
  double least = INFINITY;
  for (const Series& series : panel.series)
    for (const Mark& mark : series.marks) {
      if (mark.estimate.value > 0) least = std::min(least, mark.estimate.value);
      if (mark.estimate.low && *mark.estimate.low > 0)
        least = std::min(least, std::max(*mark.estimate.low, mark.estimate.value / 10));
    }
  if (!std::isfinite(least)) return;
  panel.symlog = true;
  panel.linear_width = std::pow(10, std::floor(std::log10(least)));
}

Panel law_panel(const OutcomeLaws& of, const FittedLaw& law) {
  Panel panel{.title = law.group,
              .x_title = "training FLOPs",
              .y_title = of.outcome.comparable
                             ? fmt::format("{}, {}", of.outcome.name, of.outcome.unit)
                             : "loss per target"};
  int place = 0;
  for (const auto& [size, rows] : by_size(of, law)) add_size(of, law, rows, place++, panel);
  add_floor(law, panel);
  use_logarithm(panel);
  return panel;
}

constexpr const char* kReading =
    "Points: trials; open triangles: trials that did not complete, which lie above what they would "
    "have reached. Solid: the fitted law at each model size N (parameters of the trunk) within the "
    "data sizes trained; dashed: tenfold beyond them, a prediction, where the trials identify the "
    "law. Bands: 95%, runs resampled, where there are enough of them. Dotted: the floor E, where "
    "the trials identify it. Both axes logarithmic.";

Figure laws_of(const OutcomeLaws* of, const std::string& id) {
  Figure figure{.id = id};
  if (!of) return figure;
  figure.x_name = "training FLOPs";
  figure.shared_y = of->outcome.comparable;
  for (const FittedLaw& law : of->laws) figure.panels.push_back(law_panel(*of, law));
  if (!figure.shared_y) return figure;
  double width = INFINITY;  // one scale for panels that share their axis
  for (const Panel& panel : figure.panels)
    if (panel.symlog) width = std::min(width, panel.linear_width);
  for (Panel& panel : figure.panels) {
    panel.symlog = std::isfinite(width);
    panel.linear_width = width;
  }
  return figure;
}

}  // namespace

Figure law_figure(const ReportData& data) {
  const OutcomeLaws* of = main_law(data);
  Figure figure = laws_of(of, "law");
  if (figure.panels.empty()) return figure;
  figure.title = floor_sentence(*of);
  figure.caption = fmt::format(
      "{}. What no objective can make up for by scale is E, the permanent part of the deficit. {}",
      capitalised(outcome_words(*of)), kReading);
  return figure;
}

Figure own_law_figure(const ReportData& data) {
  const OutcomeLaws* of = own_law(data);
  Figure figure = laws_of(of, "own_law");
  if (figure.panels.empty()) return figure;
  figure.title = "Laws of each objective's own loss, which do not compare";
  figure.caption = fmt::format(
      "Held-out loss per target, in each objective's own unit: its exponents say how that loss "
      "falls, not which objective teaches more. {}",
      kReading);
  return figure;
}

}  // namespace assay::report
