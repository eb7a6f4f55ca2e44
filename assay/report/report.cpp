// The content of a report, and its JSON.
#include "assay/report/report.h"

#include <nlohmann/json.hpp>

#include "assay/report/figures/figures.h"
#include "assay/report/page.h"
#include "assay/report/tables/tables.h"

namespace assay {
namespace report {
namespace {

nlohmann::json to_json(const Claim& claim) {
  return {{"claim", claim.text},
          {"in_favour", claim.in_favour},
          {"against", claim.against},
          {"open", claim.open}};
}

nlohmann::json to_json(const Trial& trial) {
  return {{"id", trial.id},          {"name", trial.name},          {"objective", trial.objective},
          {"data", trial.data},      {"width", trial.width},        {"depth", trial.depth},
          {"seed", trial.seed},      {"status", trial.status},      {"reason", trial.reason},
          {"step", trial.last_step}, {"flops", trial.planned_flops}};
}

}  // namespace

Content make_content(const ReportData& data) {
  Content content{.verdict = verdict(data)};
  for (const auto make :
       {outcome_figure,      gain_figure,         snr_figure,      share_figure,
        snr_per_flop_figure, level_figure,        band_figure,     layer_figure,
        metric_figure,       alignment_figure,    loss_figure,     factor_figure,
        demand_figure,       demand_level_figure, drive_figure,    drive_factor_figure,
        law_figure,          own_law_figure,      exponent_figure, residual_figure,
        allocation_figure,   law_holdout_figure}) {
    Figure figure = make(data);
    if (!figure.panels.empty()) content.figures.push_back(std::move(figure));
  }
  content.card = study_card(data);
  content.trials = trial_table(data);
  content.cost = cost_table(data);
  content.factors = factor_table(data);
  content.variance = variance_table(data);
  content.layers = layer_level_table(data);
  content.noise_differences = noise_difference_table(data);
  content.demand = demand_table(data);
  content.drive = drive_table(data);
  content.laws = law_table(data);
  content.law_differences = law_difference_table(data);
  content.environment = environment_table(data);
  content.seeds = seed_table(data);
  content.commands = reproduce_commands(data);
  content.limits = limits(data);
  return content;
}

nlohmann::json to_json(const ReportData& data, const Content& content) {
  nlohmann::json claims = nlohmann::json::array(), trials = nlohmann::json::array();
  nlohmann::json figures = nlohmann::json::array(), tables = nlohmann::json::array();
  for (const Claim& claim : content.verdict.claims) claims.push_back(to_json(claim));
  for (const Trial& trial : data.study.trials) trials.push_back(to_json(trial));
  for (const Figure& figure : content.figures) figures.push_back(to_json(figure));
  for (const Table* table :
       {&content.card, &content.trials, &content.cost, &content.factors, &content.variance,
        &content.layers, &content.noise_differences, &content.demand, &content.drive, &content.laws,
        &content.law_differences, &content.environment, &content.seeds})
    tables.push_back(to_json(*table));
  return {{"format", 1},
          {"study",
           {{"name", data.study.name},
            {"question", data.study.question},
            {"objectives", data.objectives}}},
          {"verdict", {{"sentences", content.verdict.sentences}, {"claims", std::move(claims)}}},
          {"trials", std::move(trials)},
          {"figures", std::move(figures)},
          {"tables", std::move(tables)},
          {"limits", content.limits},
          {"commands", content.commands}};
}

}  // namespace report

nlohmann::json report_json(const std::filesystem::path& study) {
  const report::ReportData data = report::arrange(report::read_study_records(study));
  return report::to_json(data, report::make_content(data));
}

std::string report_html(const std::filesystem::path& study) {
  const report::ReportData data = report::arrange(report::read_study_records(study));
  return report::page(data, report::make_content(data));
}

}  // namespace assay
