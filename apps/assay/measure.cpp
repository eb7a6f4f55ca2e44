// assay measure: which trials are meant, and the list of measurements.
#include "apps/assay/measure.h"

#include <fmt/format.h>

#include <cmath>

#include "apps/assay/console.h"
#include "apps/assay/worker_answer.h"
#include "assay/core/error.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

// The innermost folder on the way to `given` that holds a study, and the rest of the way.
std::pair<fs::path, std::string> split(const std::string& given) {
  fs::path whole = fs::absolute(given).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  for (fs::path folder = whole; folder != folder.parent_path(); folder = folder.parent_path()) {
    if (!fs::exists(folder / "study.json")) continue;
    const std::string rest = whole.lexically_relative(folder).generic_string();
    if (folder == whole) return {given, ""};
    return {folder, rest.starts_with("trials/") ? rest.substr(7) : rest};
  }
  return {given, ""};
}

}  // namespace

MeasuredTrials measured_trials(const std::string& given) {
  const auto [folder, name] = split(given);
  MeasuredTrials out;
  out.study = read_study(folder, ReadDepth::progress);
  std::vector<std::string> names;
  for (const TrialFolder& trial : out.study.trials) {
    names.push_back(trial.name);
    if (name.empty() ? trial.in_study && trial.status == "completed"
                     : trial.id == name || trial.name == name)
      out.trials.push_back(trial);
    else if (name.empty() && trial.in_study)
      out.left_out.push_back(trial.name);
  }
  if (!out.trials.empty()) return out;
  if (!name.empty())
    throw Error("usage.unknown_name", fmt::format("{} has no trial `{}`", folder.string(), name),
                suggest(name, names));
  throw Error("usage.no_trial", fmt::format("no trial of {} is completed", given),
              "`assay status` tells how far they are; a trial that still trains can be measured by "
              "its name: DIR/TRIAL");
}

MeasuredTrials measured_trial(const std::string& given) {
  MeasuredTrials out = measured_trials(given);
  if (out.trials.size() > 1)
    throw Error(
        "usage.one_trial",
        fmt::format("{} has {} completed trials, and one is wanted", given, out.trials.size()),
        fmt::format("say which: {}/{}", fs::path(given).lexically_normal().string(),
                    out.trials.front().name));
  return out;
}

WorkerArguments::WorkerArguments(const std::string& what, const MeasuredTrials& measured,
                                 const TrialFolder& trial)
    : all_{"measure", what} {
  add("trial", trial.folder.string());
  add("base", measured.study.base);
}

int unless_interrupted(const std::string& left, const Globals& globals,
                       const std::function<int()>& work) {
  try {
    return work();
  } catch (const Interrupted& interrupted) {
    tell("interrupted: " + left, globals);
    return interrupted.exit_code;
  }
}

std::string interval_text(const Measurement& m) {
  if (!std::isfinite(m.value)) return "–";
  if (!m.low || !m.high) return fmt::format("{:.3g}", m.value);
  return fmt::format("{:.3g} [{:.3g}, {:.3g}]", m.value, *m.low, *m.high);
}

void tell(const std::string& text, const Globals& globals) {
  if (!globals.quiet && !globals.no_progress) std::fprintf(stderr, "%s\n", text.c_str());
}

void add_measure(CLI::App& app, const Globals& globals, Command& run) {
  CLI::App* measure =
      app.add_subcommand("measure", "Measure trained trials further, from their snapshots");
  measure->require_subcommand(1);
  measure->footer(
      "Example: assay measure snr runs/demo --half-width 0.2\n"
      "Training files are only read. Results go to trials/<id>/measures.jsonl, from where the\n"
      "report takes them instead of what the meters recorded.");
  for (const auto add :
       {add_measure_snr, add_measure_difference, add_measure_drive, add_measure_gradients})
    add(*measure, globals, run);
}

}  // namespace assay::cli
