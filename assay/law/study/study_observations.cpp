#include "assay/law/study/study_observations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "assay/core/error.h"

namespace assay {
namespace {

using Json = nlohmann::json;

/// "mae/ratio=0.5/width=64/seed=0" -> "mae/ratio=0.5": what is left without size, budget and seed.
std::string group_of(const std::string& name) {
  static const std::set<std::string> of_scale = {"width",    "depth", "heads", "flops",
                                                 "examples", "steps", "seed"};
  std::string group;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('/', begin), name.size());
    const std::string label = name.substr(begin, end - begin);
    if (!of_scale.contains(label.substr(0, label.find('='))) ||
        label.find('=') == std::string::npos)
      group += (group.empty() ? "" : "/") + label;
    begin = end + 1;
  }
  return group;
}

/// Some term's target comes from a teacher that learns with the trunk, so that it moves.
bool target_moves(const Json& config) {
  if (config.is_array()) return std::ranges::any_of(config, target_moves);
  if (!config.is_object()) return false;
  for (const auto& [key, value] : config.items()) {
    if (key == "teacher" && value.is_string() && value != "frozen") return true;
    if (target_moves(value)) return true;
  }
  return false;
}

std::string label(const Measurement& measurement, const std::string& name) {
  const auto found = measurement.labels.find(name);
  return found == measurement.labels.end() ? "" : found->second;
}

using Wanted = bool (*)(const Measurement&);
bool is_deficit(const Measurement& m) {
  return m.meter == "probe" && m.quantity == "deficit_bits" && label(m, "features") == "trained";
}
bool is_own_loss(const Measurement& m) {
  return m.meter == "heldout_loss" && m.quantity == "loss_per_target" &&
         !m.labels.contains("level") && !m.labels.contains("band");
}

/// By step, those after the first; of averaged weights where there is a choice.
std::map<int64_t, const Measurement*> by_step(const TrialFolder& trial, Wanted wanted,
                                              const std::string& readout, const std::string& factor,
                                              const std::string& term) {
  std::map<int64_t, const Measurement*> out;
  for (const Measurement& m : trial.measurements) {
    if (!wanted(m) || m.step <= 0 || label(m, "readout") != readout ||
        label(m, "factor") != factor || label(m, "term") != term)
      continue;
    const Measurement*& known = out[m.step];
    if (!known || label(m, "weights") == "averaged") known = &m;
  }
  return out;
}

std::set<std::string> labels_of(const TrialFolder& trial, Wanted wanted, const std::string& name) {
  std::set<std::string> all;
  for (const Measurement& m : trial.measurements)
    if (wanted(m)) all.insert(label(m, name));
  return all;
}

std::set<std::string> labels_of(const StudyFolder& study, Wanted wanted, const std::string& name) {
  std::set<std::string> all;
  for (const TrialFolder& trial : study.trials) all.merge(labels_of(trial, wanted, name));
  return all;
}

Observation row_of(const TrialFolder& trial, bool of_trunk) {
  Observation row;
  row.model_size = of_trunk ? trial.trunk_parameters : trial.parameters;
  row.group = group_of(trial.name);
  row.run = trial.id;
  if (trial.status == "diverged")
    row.status = ObservationStatus::diverged;
  else if (trial.status != "completed")
    row.status = ObservationStatus::upper_bound;
  return row;
}

/// Examples seen are counted in the ledger at the trial's last step, which may come after the
/// measurement; unique ones are at most those.
void take(const TrialFolder& trial, const Measurement& m, Observation& row) {
  row.loss = m.value;
  row.compute = m.flops;
  if (!trial.ledger || trial.ledger->step <= 0) return;
  const double share = static_cast<double>(m.step) / static_cast<double>(trial.ledger->step);
  row.data_size = std::round(static_cast<double>(trial.ledger->examples) * share);
  row.unique_data = std::min(row.data_size, static_cast<double>(trial.ledger->unique_examples));
}

class Filler {
 public:
  Filler(const StudyFolder& study, StudyRows which) : study_(study), which_(which) {
    of_trunk_ = std::ranges::all_of(study.trials, [](const TrialFolder& trial) {
      return !trial.in_study || trial.trunk_parameters > 0;
    });
  }

  void fill(StudyOutcome& outcome, Wanted wanted, const std::string& factor) {
    count_ = {};
    const auto terms = terms_of_groups(wanted);
    for (const TrialFolder& trial : study_.trials) {
      if (!trial.in_study) continue;
      bool measured = false;
      const std::set<std::string>& own = terms.at(group_of(trial.name));
      for (const std::string& term : own) {
        const auto rows = by_step(trial, wanted, outcome.readout, factor, term);
        if (rows.empty() || !trial.ledger) continue;
        measured = true;
        add(outcome, trial, rows, own.size() > 1 ? ": " + term : "");
      }
      if (measured) continue;
      if (trial.status != "diverged") {
        ++count_.unmeasured;
        continue;
      }
      for (const std::string& term : own.empty() ? std::set<std::string>{""} : own) {
        Observation row = row_of(trial, of_trunk_);
        if (own.size() > 1) row.group += ": " + term;
        outcome.rows.push_back(std::move(row));
      }
    }
    warn(outcome);
  }

 private:
  struct Count {
    int64_t unmeasured = 0, checkpoints = 0;
    std::set<std::string> unusable, moving;
  };

  /// Terms of one objective have units of their own: each is a law.
  std::map<std::string, std::set<std::string>> terms_of_groups(Wanted wanted) const {
    std::map<std::string, std::set<std::string>> terms;
    for (const TrialFolder& trial : study_.trials)
      if (trial.in_study) terms[group_of(trial.name)].merge(labels_of(trial, wanted, "term"));
    for (auto& [group, own] : terms)
      if (own.size() > 1) own.erase("");  // of no term
    return terms;
  }

  void add(StudyOutcome& outcome, const TrialFolder& trial,
           const std::map<int64_t, const Measurement*>& rows, const std::string& term) {
    for (const auto& [step, m] : rows) {
      const bool last = step == rows.rbegin()->first;
      Observation row = row_of(trial, of_trunk_);
      const bool diverged = row.status == ObservationStatus::diverged;
      if (!last && (which_ == StudyRows::last || diverged)) continue;
      row.group += term;
      take(trial, *m, row);
      if (!last) row.status = ObservationStatus::measured;
      if (!diverged && (!(row.loss > 0) || !std::isfinite(row.loss))) {
        count_.unusable.insert(trial.name + term);
        continue;
      }
      if (!outcome.comparable && target_moves(*trial.config)) count_.moving.insert(row.group);
      count_.checkpoints += !last;
      outcome.rows.push_back(std::move(row));
    }
  }

  void warn(StudyOutcome& outcome) {
    std::set<std::string> unfinished, diverged;
    for (const Observation& row : outcome.rows) {
      if (row.status == ObservationStatus::upper_bound) unfinished.insert(row.run);
      if (row.status == ObservationStatus::diverged) diverged.insert(row.run);
    }
    const auto say = [&](std::string text) { outcome.warnings.push_back(std::move(text)); };
    const size_t all = study_.trials.size();
    if (count_.checkpoints > 0)
      say(fmt::format(
          "{} rows are checkpoints before the end of their trial, where the learning rate has not "
          "decayed: they lie above what trials of that length would reach",
          count_.checkpoints));
    if (!unfinished.empty())
      say(fmt::format(
          "{} of {} trials did not complete: their last measurement counts as an upper bound",
          unfinished.size(), all));
    if (!diverged.empty())
      say(fmt::format("{} of {} trials diverged: counted, not fitted", diverged.size(), all));
    if (count_.unmeasured > 0)
      say(fmt::format(
          "{} of {} trials have no measurement after their first step, or no ledger yet: "
          "left out",
          count_.unmeasured, all));
    for (const std::string& name : count_.unusable)
      say(fmt::format("{} has no positive {}: left out", name, outcome.name));
    for (const std::string& group : count_.moving)
      say(fmt::format(
          "the target of {} moves with its own trunk, so its loss need not fall as it learns: a "
          "law of it says little",
          group));
    if (!of_trunk_)
      say("this folder does not tell the trunk's parameters apart, so N counts heads too; `assay "
          "run` on it once more writes them");
  }

  const StudyFolder& study_;
  StudyRows which_;
  bool of_trunk_ = true;
  Count count_;
};

}  // namespace

std::vector<StudyOutcome> study_outcomes(const StudyFolder& study, const std::string& factor,
                                         StudyRows rows) {
  Filler filler(study, rows);
  const std::set<std::string> factors = labels_of(study, is_deficit, "factor");
  if (!factors.empty() && !factors.contains(factor))
    throw Error("usage.factor", fmt::format("no trial was probed for a factor `{}`", factor),
                suggest(factor, {factors.begin(), factors.end()}));
  std::vector<StudyOutcome> outcomes;
  for (const std::string& readout : labels_of(study, is_deficit, "readout")) {
    StudyOutcome outcome{.name = "bit deficit",
                         .readout = readout,
                         .unit = "bit",
                         .comparable = true,
                         .rows = {},
                         .warnings = {}};
    filler.fill(outcome, is_deficit, factor);
    outcomes.push_back(std::move(outcome));
  }
  StudyOutcome own{.name = "own loss",
                   .readout = "",
                   .unit = "",
                   .comparable = false,
                   .rows = {},
                   .warnings = {}};
  filler.fill(own, is_own_loss, "");
  outcomes.push_back(std::move(own));
  std::erase_if(outcomes, [](const StudyOutcome& outcome) {
    return std::ranges::all_of(outcome.rows, [](const Observation& row) {
      return row.status == ObservationStatus::diverged;
    });
  });
  const auto diverged = [](const TrialFolder& trial) { return trial.status == "diverged"; };
  if (outcomes.empty() && !study.trials.empty() && std::ranges::all_of(study.trials, diverged))
    throw Error("law.no_outcome",
                fmt::format("all {} trials of {} diverged", study.trials.size(), study.name),
                "lower train.learning_rate");
  if (outcomes.empty())
    throw Error("law.no_outcome",
                fmt::format("no trial of {} was probed, or had its held-out loss measured, after "
                            "its first step",
                            study.name),
                "give the study [measure] probe and heldout_loss at 1, and run it");
  return outcomes;
}

}  // namespace assay
