// Shared exponents as JSON and as laws that predict.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/law/shared/shared_exponents.h"

namespace assay {
namespace {

using Json = nlohmann::json;

constexpr double kLevel = 0.05;  // of the test that the groups do share them

Json limits_json(const LawLimits& limits) {
  if (!std::isfinite(limits.low) || !std::isfinite(limits.high)) return nullptr;
  return {limits.low, limits.high};
}

Json number_json(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json group_json(const SharedGroup& group) {
  const auto& [e, a, b] = group.coefficients;
  return {{"group", group.group},
          {"n", group.rows},
          {"runs", group.clusters},
          {"parameters", {{"E", e}, {"A", a}, {"B", b}}},
          {"intervals",
           {{"E", limits_json(group.intervals[0])},
            {"A", limits_json(group.intervals[1])},
            {"B", limits_json(group.intervals[2])}}},
          {"efficiency",
           {{"N", number_json(group.model_efficiency)},
            {"N_interval", limits_json(group.model_interval)},
            {"D", number_json(group.data_efficiency)},
            {"D_interval", limits_json(group.data_interval)}}},
          {"own_exponents", {{"alpha", group.own_exponents[0]}, {"beta", group.own_exponents[1]}}},
          {"at_bound", group.at_bound}};
}

}  // namespace

nlohmann::json to_json(const SharedExponents& shared) {
  Json groups = Json::array();
  for (const SharedGroup& group : shared.groups) groups.push_back(group_json(group));
  return {{"alpha", shared.alpha},
          {"beta", shared.beta},
          {"intervals",
           {{"alpha", limits_json(shared.alpha_interval)},
            {"beta", limits_json(shared.beta_interval)}}},
          {"objective", shared.objective},
          {"converged", shared.converged},
          {"starts", shared.starts},
          {"agreeing", shared.agreeing},
          {"bootstrap", {{"kept", shared.kept}, {"failed", shared.failed}}},
          {"test",
           {{"statistic", shared.statistic},
            {"degrees", shared.degrees},
            {"residual_degrees", shared.residual_degrees},
            {"p_value", shared.p_value}}},
          {"reference", shared.groups.front().group},
          {"groups", groups},
          {"reasons", shared.reasons},
          {"warnings", shared.warnings}};
}

std::vector<StoredLaw> stored_laws(const SharedExponents& shared, const std::string& loss_unit) {
  std::vector<StoredLaw> out;
  for (const SharedGroup& group : shared.groups) {
    StoredLaw law;
    law.group = group.group + ": shared exponents";
    law.form = make_form("chinchilla");
    law.loss_unit = loss_unit;
    law.rows = group.rows;
    law.reasons = shared.reasons;
    if (shared.p_value < kLevel)
      law.reasons.push_back(
          fmt::format("the groups do not share their exponents, p = {:.2g}", shared.p_value));
    for (const std::string& name : group.at_bound)
      if (name != "E") law.reasons.push_back(name + " is zero");
    law.identifiable = law.reasons.empty();
    law.parameters.assign(group.coefficients.begin(), group.coefficients.end());
    law.parameters.insert(law.parameters.end(), {shared.alpha, shared.beta});
    law.flops_per = group.flops_per;
    law.draws = group.draws;
    law.noise = group.noise;
    law.region = group.region;
    keep_what_is_needed(law);
    out.push_back(std::move(law));
  }
  return out;
}

}  // namespace assay
