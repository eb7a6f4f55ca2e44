// Parameters of the laws side by side, their residuals, and how they extrapolate.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "assay/report/figures/figures.h"
#include "assay/report/figures/law_views.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

Series category_series(const std::string& label, int palette) {
  return {.label = label, .palette = palette};
}

std::string quantity_words(const std::string& quantity) {
  if (quantity == "E") return "floor E";
  if (quantity == "alpha") return "exponent of model size, alpha";
  if (quantity == "beta") return "exponent of data, beta";
  if (quantity == "slope of N") return "slope of model size, in range";
  if (quantity == "slope of D") return "slope of data, in range";
  if (quantity == "loss_exponent") return "exponent of compute-optimal FLOPs";
  return quantity;
}

Estimate slope_of(const OutcomeLaws& of, size_t law, bool of_data) {
  Estimate estimate;
  if (!of.slopes[law]) {
    estimate.note = "the design is too narrow";
    return estimate;
  }
  const assay::Estimate& slope = of_data ? of.slopes[law]->data : of.slopes[law]->size;
  return {.value = slope.value,
          .low = slope.low,
          .high = slope.high,
          .n = of.slopes[law]->rows,
          .interval = "student"};
}

Panel slope_panel(const ReportData& data, bool of_data) {
  Panel panel{.title = quantity_words(of_data ? "slope of D" : "slope of N"), .y_title = "1"};
  for (const OutcomeLaws& of : data.study.laws) {
    if (!of.outcome.comparable) continue;
    panel.categories.push_back(of.outcome.readout);
    for (size_t i = 0; i < of.laws.size(); ++i) {
      const std::string& group = of.laws[i].group;
      auto series = std::ranges::find(panel.series, group, &Series::label);
      if (series == panel.series.end())
        series = panel.series.insert(series, {.label = group, .objective = group});
      series->marks.push_back({kMissing, of.outcome.readout, slope_of(of, i, of_data), {}});
    }
  }
  return panel;
}

bool any_known(const Panel& panel) {
  return std::ranges::any_of(panel.series, [](const Series& series) {
    return std::ranges::any_of(series.marks,
                               [](const Mark& mark) { return mark.estimate.known(); });
  });
}

}  // namespace

Figure exponent_figure(const ReportData& data) {
  Figure figure{.id = "exponents", .x_name = "outcome"};
  const OutcomeLaws* main = main_law(data);
  if (!main) return figure;
  for (const std::string& quantity : quantities_of(*main)) {
    Panel panel{.title = quantity_words(quantity),
                .y_title = quantity == "E" ? main->outcome.unit : "1"};
    for (const OutcomeLaws& of : data.study.laws)
      if (of.outcome.comparable) panel.categories.push_back(of.outcome.readout);
    for (const FittedLaw& of_objective : main->laws) {
      Series series{.label = of_objective.group, .objective = of_objective.group};
      for (const OutcomeLaws& of : data.study.laws)
        for (const FittedLaw& law : of.laws)
          if (of.outcome.comparable && law.group == series.objective) {
            const Estimate estimate = estimate_of(law, quantity);
            series.marks.push_back({kMissing, of.outcome.readout, estimate, {}});
          }
      panel.series.push_back(std::move(series));
    }
    if (any_known(panel)) figure.panels.push_back(std::move(panel));
  }
  for (const bool of_data : {false, true}) figure.panels.push_back(slope_panel(data, of_data));
  size_t told = 0, pairs = 0;
  for (const LawDifference& one : main->differences) {
    told += one.distinguished && one.quantity == "slope of D";
    pairs += one.quantity == "slope of D";
  }
  figure.title = fmt::format("How fast the {} falls with data: {} of {} of objectives differ",
                             outcome_words(*main), told, count_text(pairs, "pair"));
  figure.caption =
      "95% intervals, of laws by resampling runs. An exponent that the trials do not identify has "
      "no mark: it trades off against the floor, or the design is too narrow (table below). Slopes "
      "are those of a plane through the logarithms within the trained range, no law, with errors "
      "by what leaving out each run changes.";
  return figure;
}

Figure residual_figure(const ReportData& data) {
  Figure figure{.id = "law_residuals", .x_name = "training FLOPs"};
  for (const OutcomeLaws& of : data.study.laws) {
    Panel panel{.title = outcome_words(of),
                .x_title = "training FLOPs",
                .y_title = "log measured − log law"};
    for (const FittedLaw& law : of.laws) {
      if (!law.fit.usable()) continue;
      Series series{.label = law.group, .objective = law.group, .unit = "1", .drawn = "points"};
      for (const Observation& row : of.outcome.rows) {
        if (row.group != law.group || row.status != ObservationStatus::measured) continue;
        Mark mark{.x = row.compute};
        mark.estimate.value =
            std::log(row.loss / predict(*law.problem.form, law.fit.parameters, row));
        mark.estimate.n = 1;
        series.marks.push_back(std::move(mark));
      }
      panel.series.push_back(std::move(series));
    }
    if (!panel.series.empty()) figure.panels.push_back(std::move(panel));
  }
  if (figure.panels.empty()) return figure;
  figure.title = "What the laws leave over";
  figure.caption =
      "Residuals of log values. A pattern along FLOPs means that the form is wrong where it shows, "
      "whatever the intervals say.";
  return figure;
}

Figure law_holdout_figure(const ReportData& data) {
  Figure figure{.id = "law_holdout", .x_name = "objective"};
  size_t better = 0, all = 0;
  for (const OutcomeLaws& of : data.study.laws) {
    Panel panel{.title = outcome_words(of), .y_title = "log RMSE of what was held out"};
    Series law_error = category_series("law", 0),
           carried = category_series("last one carried on", 6),
           power = category_series("pure power of compute", 4);
    for (const FittedLaw& law : of.laws) {
      if (!law.held_out || !std::isfinite(law.held_out->log_rmse)) continue;
      const Holdout& held = *law.held_out;
      panel.categories.push_back(law.group);
      const auto add = [&](Series& series, double value) {
        Estimate estimate;
        estimate.value = value;
        series.marks.push_back({kMissing, law.group, estimate, {}});
      };
      add(law_error, held.log_rmse);
      add(carried, held.carried_rmse);
      add(power, held.power_rmse);
      ++all;
      better += held.log_rmse < std::min(held.carried_rmse, held.power_rmse);
    }
    if (panel.categories.empty()) continue;
    panel.series = {std::move(law_error), std::move(power), std::move(carried)};
    figure.panels.push_back(std::move(panel));
  }
  if (figure.panels.empty()) return figure;
  figure.title =
      fmt::format("Extrapolation: the law beats both baselines in {} of {} cases", better, all);
  figure.caption =
      "Each law fitted to the lowest 30, 50 and 70% of its trials by compute, and without the "
      "largest model and data size; errors on the trials left out, all cuts together. Lower is "
      "better. The law earns its parameters only where it predicts better than carrying the last "
      "value on.";
  return figure;
}

Table law_table(const ReportData& data) {
  Table table{.id = "laws", .title = "The laws", .columns = {"outcome", "objective", "trials"}};
  if (data.study.laws.empty()) return table;
  table.caption = fmt::format(
      "Form: {}, and at compute-optimal sizes E + a power of FLOPs, whose exponent is that of C. "
      "95% intervals: runs resampled, of slopes t over runs. Noise: standard deviation of a "
      "trial's log value, from repeated seeds where there are enough and the law fits to within "
      "them.",
      data.study.laws.front().laws.front().problem.form->formula());
  std::vector<std::string> quantities;
  for (const OutcomeLaws& of : data.study.laws)
    if (std::ranges::any_of(of.laws, &FittedLaw::identifiable))
      for (const std::string& quantity : quantities_of(of))
        if (std::ranges::find(quantities, quantity) == quantities.end())
          quantities.push_back(quantity);
  for (const std::string& quantity : quantities)
    table.columns.push_back(quantity == "loss_exponent" ? "exponent of C" : quantity);
  table.columns.insert(table.columns.end(),
                       {"slope of N", "slope of D", "noise", "what is missing"});
  for (const OutcomeLaws& of : data.study.laws)
    for (size_t place = 0; place < of.laws.size(); ++place) {
      const FittedLaw& law = of.laws[place];
      std::vector<TableCell> row = {
          {outcome_words(of)}, {law.group}, cell(static_cast<double>(law.fit.rows))};
      const std::vector<std::string> own = quantities_of(of);
      for (const std::string& quantity : quantities) {
        const bool has = std::ranges::find(own, quantity) != own.end();
        row.push_back(has && law.identifiable() ? cell(estimate_of(law, quantity))
                                                : TableCell{"–", kMissing, "quiet"});
      }
      for (const bool of_data : {false, true}) row.push_back(cell(slope_of(of, place, of_data)));
      row.push_back(law.fit.usable() ? cell(law.fit.scale.sigma)
                                     : TableCell{"–", kMissing, "quiet"});
      std::string missing = law.fit.failure;
      if (law.gate)
        for (size_t i = 0; i < law.gate->reasons.size(); ++i)
          missing +=
              (i ? "; " : "") + law.gate->reasons[i].substr(0, law.gate->reasons[i].find(':'));
      row.push_back({missing});
      table.rows.push_back(std::move(row));
    }
  return table;
}

Table law_difference_table(const ReportData& data) {
  Table table{.id = "law_differences",
              .title = "How the laws differ, and the smallest difference this design could show",
              .columns = {"outcome", "of", "pair", "difference", "detectable", "verdict"}};
  table.caption =
      "Intervals: 95% for all pairs of an outcome and quantity together (Bonferroni). Detectable: "
      "with 80% power at level .05, for one pair.";
  for (const OutcomeLaws& of : data.study.laws)
    for (const LawDifference& one : of.differences) {
      Estimate estimate{.value = one.value, .low = one.limits.low, .high = one.limits.high};
      table.rows.push_back({{outcome_words(of)},
                            {quantity_words(one.quantity)},
                            {fmt::format("{} − {}", one.first, one.second)},
                            cell(estimate),
                            cell(one.detectable),
                            {one.distinguished ? "different" : "indistinguishable"}});
    }
  return table;
}

}  // namespace assay::report
