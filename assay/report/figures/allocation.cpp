// Where a law would put compute: model size and data against FLOPs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "assay/report/figures/figures.h"
#include "assay/report/figures/law_views.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

constexpr int kWithin = 8, kBeyond = 5;  // points of a curve
constexpr double kReach = 10;            // times the largest trial

struct Reach {
  double least = INFINITY, most = 0;  // FLOPs of the objective's trials
};

Reach reach_of(const OutcomeLaws& of, const FittedLaw& law) {
  Reach reach;
  for (const Observation& row : of.outcome.rows) {
    if (row.group != law.group || !(row.compute > 0)) continue;
    reach.least = std::min(reach.least, row.compute);
    reach.most = std::max(reach.most, row.compute);
  }
  return reach;
}

struct Side {
  double Allocation::*value;
  LawLimits AllocationIntervals::*limits;
};

std::vector<Mark> marks_of(const FittedLaw& law, Side side, double from, double to, int points) {
  std::vector<Mark> marks;
  const Form& form = *law.problem.form;
  for (int i = 0; i < points; ++i) {
    const double compute = from * std::pow(to / from, static_cast<double>(i) / (points - 1));
    const auto best = allocation(form, law.fit.parameters, compute, law.flops_per);
    Mark mark{.x = compute};
    mark.estimate.value = (*best).*side.value;
    mark.estimate.n = law.fit.rows;
    if (law.resamples && law.resamples->kept >= 20)
      if (const auto with = allocation_intervals(law.problem, law.fit, *law.resamples, compute,
                                                 0.95, law.flops_per)) {
        mark.estimate.low = ((*with).*side.limits).low;
        mark.estimate.high = ((*with).*side.limits).high;
        mark.estimate.interval = "bootstrap";
      }
    marks.push_back(std::move(mark));
  }
  return marks;
}

void use_logarithm(Panel& panel) {
  double least = INFINITY;
  for (const Series& series : panel.series)
    for (const Mark& mark : series.marks) least = std::min(least, mark.estimate.value);
  panel.symlog = true;
  panel.linear_width = std::pow(10, std::floor(std::log10(least)) - 1);
}

Panel side_panel(const OutcomeLaws& of, const std::vector<const FittedLaw*>& laws, Side side,
                 const char* title, const char* unit) {
  Panel panel{.title = title, .x_title = "training FLOPs", .y_title = unit};
  for (const FittedLaw* law : laws) {
    const Reach reach = reach_of(of, *law);
    Series within{.label = law->group, .objective = law->group, .unit = unit, .drawn = "curve"};
    Series beyond = within;
    beyond.drawn = "extrapolated";
    within.marks = marks_of(*law, side, reach.least, reach.most, kWithin);
    beyond.marks = marks_of(*law, side, reach.most, kReach * reach.most, kBeyond);
    panel.series.push_back(std::move(within));
    panel.series.push_back(std::move(beyond));
  }
  use_logarithm(panel);
  return panel;
}

}  // namespace

Figure allocation_figure(const ReportData& data) {
  Figure figure{.id = "allocation", .x_name = "training FLOPs"};
  const OutcomeLaws* of = main_law(data);
  if (!of) return figure;
  std::vector<const FittedLaw*> laws;
  std::vector<std::string> exponents;
  for (const FittedLaw& law : of->laws) {
    if (!law.identifiable() || !allocation(*law.problem.form, law.fit.parameters, 1)) continue;
    if (!(reach_of(*of, law).most > 0)) continue;
    laws.push_back(&law);
    exponents.push_back(fmt::format(
        "{} {}", law.group, estimate_text(estimate_of(law, std::string("model_exponent")), "")));
  }
  if (laws.empty()) return figure;
  figure.panels.push_back(side_panel(*of, laws,
                                     {&Allocation::model_size, &AllocationIntervals::model_size},
                                     "Model size", "parameters of the trunk"));
  figure.panels.push_back(side_panel(
      *of, laws, {&Allocation::data_size, &AllocationIntervals::data_size}, "Data", "examples"));
  figure.title = "Compute-optimal size grows as FLOPs to the power of: " + join(exponents, "; ");
  figure.caption = fmt::format(
      "How the laws of the {} would divide a budget C = k N D, k from the trials of each "
      "objective. Solid: within the budgets trained; dashed: tenfold beyond. Bands: 95%, runs "
      "resampled. Laws that the trials do not identify divide nothing.",
      outcome_words(*of));
  return figure;
}

}  // namespace assay::report
