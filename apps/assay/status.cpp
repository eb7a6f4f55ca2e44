// assay status DIR: every trial with its state, progress and last words.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "apps/assay/command.h"
#include "apps/assay/console.h"
#include "apps/assay/trial_table.h"
#include "assay/store/study_folder.h"

namespace assay::cli {
namespace {

using Json = nlohmann::json;

std::string heading(const StudyFolder& study) {
  std::map<std::string, int64_t> counts;
  int64_t planned = 0;
  for (const TrialFolder& trial : study.trials) {
    planned += trial.in_study;
    if (trial.in_study) ++counts[trial.status];
  }
  std::string text = fmt::format("{}: {}", study.name, plural(planned, "trial"));
  for (const char* status :
       {"completed", "running", "stopped", "waiting", "timed_out", "diverged", "failed"})
    if (counts.contains(status)) text += fmt::format(", {} {}", counts[status], status);
  if (!study.running_on.empty())
    text += fmt::format("\nrunning now (host and process: {})", study.running_on);
  return text + "\n";
}

std::string details(const StudyFolder& study) {
  std::string text;
  for (const TrialFolder& trial : study.trials) {
    const std::string reason = reason_of(trial);
    if (!reason.empty()) text += fmt::format("\n{} {}: {}\n", trial.name, trial.status, reason);
    if (trial.status == "failed" && !trial.outcome->reason.empty())
      text += fmt::format("  log: {}\n", (trial.folder / "log.txt").string());
    for (const std::string& problem : trial.problems)
      text += fmt::format("\n{}: {}\n", trial.name, problem);
    if (!trial.in_study)
      text += fmt::format("\n{} ({}) is not part of the study any more: kept, but not run\n",
                          trial.name, trial.id);
  }
  return text;
}

std::string next_step(const StudyFolder& study) {
  bool open = false, failed = false;
  for (const TrialFolder& trial : study.trials) {
    open |= trial.in_study && !trial.ended();
    failed |= trial.in_study && trial.status == "failed";
  }
  if (open && study.running_on.empty())
    return "Next: the `assay run` that made this folder, given again, resumes it\n";
  if (failed) return "Next: the same `assay run` with --retry-failed runs failed trials again\n";
  return open ? "" : fmt::format("Next: assay report {}\n", study.folder.string());
}

int status(const std::string& folder, const Globals& globals) {
  const StudyFolder study = read_study(folder, ReadDepth::progress);
  if (globals.json) {
    Json trials = Json::array();
    for (const TrialFolder& trial : study.trials) trials.push_back(trial_json(trial));
    print_json({{"format", 1},
                {"study", study.name},
                {"folder", folder},
                {"running_on", study.running_on},
                {"warnings", study.warnings},
                {"trials", std::move(trials)}});
    return 0;
  }
  std::fputs((heading(study) + "\n" + trial_table(study)).c_str(), stdout);
  if (!globals.quiet) std::fputs((details(study) + "\n" + next_step(study)).c_str(), stdout);
  return 0;
}

}  // namespace

void add_status(CLI::App& app, const Globals& globals, Command& run) {
  const auto folder = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("status", "How far a study is: each trial, its progress, what failed");
  command->add_option("DIR", *folder, "Study folder that `assay run` wrote")->required();
  command->footer("Example: assay status runs/demo");
  command->callback(
      [folder, &globals, &run] { run = [folder, &globals] { return status(*folder, globals); }; });
}

}  // namespace assay::cli
