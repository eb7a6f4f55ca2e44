// What a careful reader must know before believing the figures.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "assay/report/tables/tables.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

// Below it intervals cover as they should only with more units than meters take by default, and
// skewed gradients need more still (docs/objective_snr.md).
constexpr double kEnoughDimensions = 10;

void add_seeds(const ReportData& data, std::vector<std::string>& out) {
  std::vector<std::string> few;
  for (const Arm& arm : data.arms) {
    const auto counted = std::count_if(arm.trials.begin(), arm.trials.end(),
                                       [](const Trial* t) { return t->counts(); });
    if (counted < 3)
      few.push_back(fmt::format("{} at {} ({})", arm.label(),
                                data.size_text({arm.width, arm.depth}), counted));
  }
  if (!few.empty())
    out.push_back(
        fmt::format("Fewer than 3 seeds that count: {}. Differences between objectives need at "
                    "least three; with "
                    "two, Student's t makes intervals 12.7 standard errors wide, and with one, "
                    "intervals leave out "
                    "the spread between seeds.",
                    join(few, ", ")));
}

std::string verb(const std::string& status) {
  if (status == "timed_out") return "timed out";
  return status == "missing" || status == "unfinished" ? fmt::format("is {}", status) : status;
}

void add_lost_trials(const ReportData& data, std::vector<std::string>& out) {
  for (const Trial& trial : data.study.trials) {
    if (trial.status == "completed") continue;
    out.push_back(fmt::format("Trial {} ({}) {}{}{}.", trial.name, trial.id, verb(trial.status),
                              trial.reason.empty() ? "" : ": ", trial.reason));
  }
}

void add_dimensions(const ReportData& data, std::vector<std::string>& out) {
  std::set<std::string> small;
  for (const Arm& arm : data.arms) {
    const Estimate e = at_end(data, arm, {"objective_snr", "effective_dimension"}).estimate;
    if (e.known() && e.value < kEnoughDimensions)
      small.insert(fmt::format("{} at {} ({})", arm.label(), data.size_text({arm.width, arm.depth}),
                               number_text(e.value)));
  }
  if (!small.empty())
    out.push_back(
        fmt::format("Effective dimension of the gradient noise below {}: {}. SNR intervals of "
                    "single trials then need more units (assay measure snr --units).",
                    number_text(kEnoughDimensions),
                    join(std::vector<std::string>(small.begin(), small.end()), ", ")));
}

void add_learning_rates(const ReportData& data, std::vector<std::string>& out) {
  std::map<std::string, std::set<std::string>> rates;
  for (const Trial& trial : data.study.trials) {
    const auto it = trial.settings.find("train.learning_rate");
    if (it != trial.settings.end()) rates[trial.objective].insert(it->second);
  }
  const bool swept = std::any_of(rates.begin(), rates.end(),
                                 [](const auto& entry) { return entry.second.size() > 1; });
  if (!rates.empty() && !swept)
    out.push_back(
        "Each objective ran at one learning rate. This folder does not show whether it is the best "
        "one for each, so a difference between objectives may be a difference of tuning.");
}

void add_data(const ReportData& data, std::vector<std::string>& out) {
  std::set<std::string> sources;
  for (const Trial& trial : data.study.trials)
    if (!trial.data.empty()) sources.insert(trial.data);
  if (sources.size() > 1)
    out.push_back(
        fmt::format("Objectives read different data ({}): a difference between them is one of "
                    "objective and data "
                    "together.",
                    join_and(std::vector<std::string>(sources.begin(), sources.end()))));
}

constexpr std::string_view kCollapse = "collapse: ";  // how the collapse meter begins its notes

/// A collapsed trunk is a result of its objective; the last note says how the trial ended.
void add_collapses(const ReportData& data, std::vector<std::string>& out) {
  for (const Trial& trial : data.study.trials) {
    const std::string* last = nullptr;
    for (const std::string& note : trial.notes)
      if (note.starts_with(kCollapse)) last = &note;
    if (last)
      out.push_back(
          fmt::format("{} has collapsed: {}.", trial.name, last->substr(kCollapse.size())));
  }
}

/// Notes of trials and of measurements, once each, with how often.
void add_notes(const ReportData& data, std::vector<std::string>& out) {
  std::map<std::string, size_t> notes;
  for (const Trial& trial : data.study.trials) {
    std::set<std::string> own;
    for (const std::string& note : trial.notes)
      if (!note.starts_with(kCollapse)) own.insert(note);
    for (const Measurement& m : trial.measurements)
      if (!std::isfinite(m.value))
        own.insert(fmt::format("{} of {} is missing: {}", m.quantity, m.meter,
                               m.note.empty() ? "no reason recorded" : m.note));
    for (const std::string& note : own) ++notes[note];
  }
  for (const auto& [note, count] : notes)
    out.push_back(fmt::format("{} ({})", note, count_text(count, "trial")));
}

/// What the laws warn of, once each, with the objectives that it is said of.
void add_laws(const ReportData& data, std::vector<std::string>& out) {
  std::map<std::string, std::set<std::string>> said;
  for (const OutcomeLaws& of : data.study.laws) {
    const std::string outcome =
        of.outcome.readout.empty() ? of.outcome.name : of.outcome.name + ", " + of.outcome.readout;
    for (const std::string& warning : of.outcome.warnings) said[warning].insert(outcome);
    for (const FittedLaw& law : of.laws) {
      for (const std::string& warning : law.fit.warnings)
        said[warning].insert(law.group + ": " + outcome);
    }
  }
  for (const auto& [warning, where] : said)
    out.push_back(fmt::format("Laws ({}): {}.",
                              join(std::vector<std::string>(where.begin(), where.end()), "; "),
                              warning));
}

void add_damage(const ReportData& data, std::vector<std::string>& out) {
  for (const Trial& trial : data.study.trials)
    for (const std::string& damage : trial.damage)
      out.push_back(fmt::format("Trial {} ({}): {}.", trial.name, trial.id, damage));
  if (!data.study.strangers.empty())
    out.push_back(fmt::format("{} in the folder {} not part of the study and left out: {}.",
                              capitalised(count_text(data.study.strangers.size(), "trial")),
                              data.study.strangers.size() == 1 ? "is" : "are",
                              join(data.study.strangers, ", ")));
}

}  // namespace

std::vector<std::string> limits(const ReportData& data) {
  std::vector<std::string> out;
  add_lost_trials(data, out);
  add_collapses(data, out);
  add_seeds(data, out);
  add_dimensions(data, out);
  add_learning_rates(data, out);
  add_data(data, out);
  add_damage(data, out);
  for (const std::string& warning : data.study.warnings) out.push_back(warning);
  add_laws(data, out);
  add_notes(data, out);
  return out;
}

}  // namespace assay::report
