#include "assay/law/drivers/study_drivers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>

#include "assay/core/error.h"
#include "assay/law/study/study_laws.h"

namespace assay {
namespace {

constexpr double kNormal = 1.959964;

struct Known {
  double value = 0, error = 0;
};

struct DriverSource {
  const char* name;
  const char* meter;
  const char* quantity;
  std::map<std::string, std::string> labels;  // that the measurement has; others only by default
};

const std::vector<DriverSource>& driver_sources() {
  static const std::vector<DriverSource> all = {
      {"snr", "objective_snr", "snr_per_example", {{"group", "trunk"}, {"metric", "euclidean"}}},
      {"share", "objective_snr", "objective_share", {{"group", "trunk"}, {"metric", "euclidean"}}},
      {"headroom", "objective_snr", "headroom", {{"group", "trunk"}, {"metric", "euclidean"}}},
      {"online_snr", "online_snr", "snr_per_example", {{"group", "trunk"}}},
      {"target_snr", "demand", "target_snr", {}},
      {"useful_rate", "drive", "useful_rate", {{"factor", "all"}}}};
  return all;
}

const DriverSource& source_of(const std::string& name) {
  std::vector<std::string> names;
  for (const DriverSource& source : driver_sources()) {
    if (source.name == name) return source;
    names.push_back(source.name);
  }
  throw Error("usage.unknown_name", fmt::format("a study has no driver `{}`", name),
              suggest(name, names));
}

/// Resolved by nothing but what the source says: not by level, band, term's cell or other
/// objective.
bool is_of(const Measurement& m, const DriverSource& source) {
  if (m.meter != source.meter || m.quantity != source.quantity || !std::isfinite(m.value))
    return false;
  for (const auto& [label, value] : source.labels) {
    const auto found = m.labels.find(label);
    if (found == m.labels.end() || found->second != value) return false;
  }
  for (const char* label : {"level", "band", "with", "part", "null", "objective"})
    if (m.labels.contains(label)) return false;
  const auto weights = m.labels.find("weights");
  return weights == m.labels.end() || weights->second != "live" ||
         std::string_view(source.meter) == "online_snr";
}

double error_of(const Measurement& m) {
  return m.low && m.high ? (*m.high - *m.low) / (2 * kNormal) : 0;
}

/// Nearest to the fraction; of equals the last, which `assay measure` wrote.
const Measurement* nearest(const TrialFolder& trial, const DriverSource& source, double fraction) {
  const Measurement* best = nullptr;
  for (const Measurement& m : trial.measurements)
    if (is_of(m, source) &&
        (!best || std::abs(m.fraction - fraction) <= std::abs(best->fraction - fraction)))
      best = &m;
  return best;
}

std::optional<Known> mean_of(const std::vector<Known>& values) {
  if (values.empty()) return {};
  const double n = static_cast<double>(values.size());
  Known out;
  double own = 0, spread = 0;
  for (const Known& one : values) {
    out.value += one.value / n;
    own += one.error * one.error / (n * n);
  }
  for (const Known& one : values) spread += std::pow(one.value - out.value, 2);
  out.error = std::sqrt(std::max(own, n > 1 ? spread / (n * (n - 1)) : 0));
  return out;
}

/// Runs of the objective's rows that took the most compute, all seeds.
std::vector<const TrialFolder*> largest_trials(const StudyFolder& study,
                                               const StudyOutcome& outcome,
                                               const std::string& group) {
  double most = 0;
  for (const Observation& row : outcome.rows)
    if (row.group == group && row.status == ObservationStatus::measured)
      most = std::max(most, row.compute);
  std::vector<const TrialFolder*> found;
  for (const Observation& row : outcome.rows)
    if (row.group == group && row.status == ObservationStatus::measured &&
        row.compute > .999 * most)
      for (const TrialFolder& trial : study.trials)
        if (trial.id == row.run) found.push_back(&trial);
  return found;
}

const OutcomeLaws& deficit_of(const std::vector<OutcomeLaws>& all, const std::string& readout) {
  std::vector<std::string> names;
  const OutcomeLaws* found = nullptr;
  for (const OutcomeLaws& of : all) {
    if (!of.outcome.comparable) continue;
    names.push_back(of.outcome.readout);
    if (of.outcome.readout == (readout.empty() ? "attentive" : readout)) found = &of;
  }
  if (!found && readout.empty() && !names.empty())
    return *std::ranges::find_if(all, [](const auto& of) { return of.outcome.comparable; });
  if (!found && readout.empty())
    throw Error("law.drivers", "the study's trials were not probed",
                "give the study [measure] probe at 1, and run it");
  if (!found)
    throw Error("usage.unknown_name", fmt::format("no trial was probed by a readout `{}`", readout),
                suggest(readout, names));
  return *found;
}

/// Nothing where the objective's law does not tell it.
std::optional<Known> outcome_of(const OutcomeLaws& of, size_t index, const std::string& name) {
  if (name == "slope_D" || name == "slope_N") {
    if (!of.slopes[index]) return {};
    const Estimate& slope = name == "slope_D" ? of.slopes[index]->data : of.slopes[index]->size;
    return Known{slope.value, slope.standard_error};
  }
  const FittedLaw& law = of.laws[index];
  const size_t parameter = law.problem.form->index(name);
  if (!law.identifiable() || parameter >= law.problem.form->size()) return {};
  const auto limits = law.interval(parameter);
  if (!limits) return {};
  return Known{law.fit.parameters[parameter], (limits->high - limits->low) / (2 * kNormal)};
}

std::optional<Known> deficit_at_end(const std::vector<const TrialFolder*>& trials,
                                    const OutcomeLaws& of) {
  const DriverSource source{
      "deficit",
      "probe",
      "deficit_bits",
      {{"factor", "all"}, {"features", "trained"}, {"readout", of.outcome.readout}}};
  std::vector<Known> values;
  for (const TrialFolder* trial : trials)
    if (const Measurement* m = nearest(*trial, source, 1))
      values.push_back({m->value, error_of(*m)});
  return mean_of(values);
}

}  // namespace

StudyDrivers study_drivers(const StudyFolder& study, const StudyDriverColumns& columns) {
  const std::vector<std::string> outcomes = {"slope_D", "slope_N", "alpha", "beta", "deficit"};
  if (std::ranges::find(outcomes, columns.outcome) == outcomes.end())
    throw Error("usage.unknown_name", fmt::format("a study has no outcome `{}`", columns.outcome),
                suggest(columns.outcome, outcomes));
  for (const std::string& name : columns.drivers) source_of(name);
  const bool exponent = columns.outcome == "alpha" || columns.outcome == "beta";
  LawRequest request;
  request.intervals.kind = exponent ? IntervalChoice::Kind::bootstrap : IntervalChoice::Kind::none;
  const std::vector<OutcomeLaws> laws = fit_study_laws(study, "all", request);
  const OutcomeLaws& of = deficit_of(laws, columns.readout);

  StudyDrivers out;
  out.readout = of.outcome.readout;
  for (size_t i = 0; i < of.laws.size(); ++i) {
    const std::string& group = of.laws[i].group;
    const auto trials = largest_trials(study, of.outcome, group);
    const auto outcome = columns.outcome == "deficit" ? deficit_at_end(trials, of)
                                                      : outcome_of(of, i, columns.outcome);
    if (!outcome) {
      out.left_out.push_back(fmt::format("{}: its trials do not tell {}", group, columns.outcome));
      continue;
    }
    DriverPoint point{.objective = group,
                      .outcome = outcome->value,
                      .outcome_error = outcome->error,
                      .drivers = {},
                      .driver_errors = {}};
    for (const std::string& name : columns.drivers) {
      std::vector<Known> values;
      for (const TrialFolder* trial : trials)
        if (const Measurement* m = nearest(*trial, source_of(name), columns.fraction))
          values.push_back({m->value, error_of(*m)});
      const auto driver = mean_of(values);
      if (!driver) {
        out.left_out.push_back(fmt::format("{}: {} was not measured", group, name));
        break;
      }
      point.drivers.push_back(driver->value);
      point.driver_errors.push_back(driver->error);
    }
    if (point.drivers.size() == columns.drivers.size()) out.points.push_back(std::move(point));
  }
  return out;
}

}  // namespace assay
