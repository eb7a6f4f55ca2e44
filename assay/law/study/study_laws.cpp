#include "assay/law/study/study_laws.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/core/parallel.h"

namespace assay {
namespace {

using Json = nlohmann::json;

const char* status_text(ObservationStatus status) {
  switch (status) {
    case ObservationStatus::measured:
      return "measured";
    case ObservationStatus::upper_bound:
      return "upper_bound";
    case ObservationStatus::diverged:
      return "diverged";
  }
  return "";
}

Json known(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json rows_json(const StudyOutcome& outcome, const FittedLaw& law) {
  Json rows = Json::array();
  for (const Observation& row : outcome.rows) {
    if (row.group != law.group) continue;
    const bool fitted = law.fit.usable() && row.status != ObservationStatus::diverged;
    rows.push_back(
        {{"run", row.run},
         {"N", known(row.model_size)},
         {"D", known(row.data_size)},
         {"U", known(row.unique_data)},
         {"C", known(row.compute)},
         {"loss", known(row.loss)},
         {"status", status_text(row.status)},
         {"fitted", fitted ? known(predict(*law.problem.form, law.fit.parameters, row)) : Json()}});
  }
  return rows;
}

void take_slopes(const StudyOutcome& outcome, OutcomeLaws& laws) {
  for (const FittedLaw& law : laws.laws) {
    std::vector<Observation> rows;
    for (const Observation& row : outcome.rows)
      if (row.group == law.group) rows.push_back(row);
    laws.slopes.push_back(local_slopes(rows));
  }
}

std::vector<LawDifference> differences_of(const OutcomeLaws& laws) {
  std::vector<LawDifference> differences = compare_laws(laws.laws);
  std::vector<NamedSlopes> known;
  for (size_t i = 0; i < laws.laws.size(); ++i)
    if (laws.slopes[i]) known.push_back({laws.laws[i].group, *laws.slopes[i]});
  for (LawDifference& difference : compare_slopes(known))
    differences.push_back(std::move(difference));
  return differences;
}

Json slopes_json(const std::optional<LocalSlopes>& slopes) {
  if (!slopes) return nullptr;
  const auto one = [](const Estimate& estimate) {
    return Json{{"value", estimate.value}, {"interval", {estimate.low, estimate.high}}};
  };
  return {{"N", one(slopes->size)}, {"D", one(slopes->data)}};
}

}  // namespace

std::vector<OutcomeLaws> fit_study_laws(const StudyFolder& study, const std::string& factor,
                                        const LawRequest& request, StudyRows rows) {
  std::vector<StudyOutcome> outcomes = study_outcomes(study, factor, rows);
  std::vector<OutcomeLaws> all(outcomes.size());
  in_parallel(hardware_threads(), std::ssize(outcomes), [&](int64_t i) {
    StudyOutcome& outcome = outcomes[static_cast<size_t>(i)];
    OutcomeLaws& laws = all[static_cast<size_t>(i)];
    LawRequest of_outcome = request;
    of_outcome.form = chosen_form(outcome.rows, request.form)->name();
    laws.laws = fit_groups(outcome.rows, of_outcome);
    take_slopes(outcome, laws);
    if (outcome.comparable) laws.differences = differences_of(laws);
    laws.outcome = std::move(outcome);
  });
  return all;
}

std::string law_name(const StudyOutcome& outcome, const FittedLaw& law) {
  return law.group + ": " + outcome.name + (outcome.readout.empty() ? "" : ", " + outcome.readout);
}

nlohmann::json to_json(const OutcomeLaws& of) {
  Json laws = Json::array(), differences = Json::array();
  for (size_t i = 0; i < of.laws.size(); ++i) {
    const FittedLaw& law = of.laws[i];
    Json one = to_json(law);
    one["slopes"] = slopes_json(of.slopes[i]);
    one["name"] = law_name(of.outcome, law);
    one["rows"] = rows_json(of.outcome, law);
    laws.push_back(std::move(one));
  }
  for (const LawDifference& difference : of.differences)
    differences.push_back({{"first", difference.first},
                           {"second", difference.second},
                           {"quantity", difference.quantity},
                           {"value", difference.value},
                           {"interval", {difference.limits.low, difference.limits.high}},
                           {"standard_error", difference.standard_error},
                           {"detectable", difference.detectable},
                           {"distinguished", difference.distinguished}});
  return {{"outcome", of.outcome.name},
          {"readout", of.outcome.readout},
          {"unit", of.outcome.unit},
          {"comparable", of.outcome.comparable},
          {"laws", laws},
          {"differences", differences},
          {"warnings", of.outcome.warnings}};
}

}  // namespace assay
