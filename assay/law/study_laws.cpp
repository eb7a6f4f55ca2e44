#include "assay/law/study_laws.h"

#include <cmath>
#include <nlohmann/json.hpp>

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

}  // namespace

std::vector<OutcomeLaws> fit_study_laws(const StudyFolder& study, const std::string& factor,
                                        const LawRequest& request) {
  std::vector<OutcomeLaws> all;
  for (StudyOutcome& outcome : study_outcomes(study, factor)) {
    LawRequest of_outcome = request;
    of_outcome.form = chosen_form(outcome.rows, request.form)->name();
    OutcomeLaws laws;
    laws.laws = fit_groups(outcome.rows, of_outcome);
    laws.differences = compare_laws(laws.laws, outcome.comparable);
    laws.outcome = std::move(outcome);
    all.push_back(std::move(laws));
  }
  return all;
}

std::string law_name(const StudyOutcome& outcome, const FittedLaw& law) {
  return law.group + ": " + outcome.name + (outcome.readout.empty() ? "" : ", " + outcome.readout);
}

nlohmann::json to_json(const OutcomeLaws& of) {
  Json laws = Json::array(), differences = Json::array();
  for (const FittedLaw& law : of.laws) {
    Json one = to_json(law);
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
