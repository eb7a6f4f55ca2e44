// assay run STUDY.toml: trains and measures what has not ended yet.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/assay/command.h"
#include "apps/assay/console.h"
#include "apps/assay/run_progress.h"
#include "apps/assay/trial_table.h"
#include "assay/schedule/plan.h"
#include "assay/schedule/pool.h"
#include "assay/schedule/worker_process.h"
#include "assay/store/files.h"
#include "assay/store/study_folder.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string study, output;
  int workers = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::string> assignments;
  bool retry_failed = false;
};

void announce(const Plan& plan, const fs::path& folder, const Globals& globals) {
  if (globals.quiet || globals.no_progress) return;
  std::fprintf(stderr, "%s: %s, %s FLOPs of training, into %s\n", plan.name.c_str(),
               plural(std::ssize(plan.trials), "trial").c_str(), flops_text(plan.flops()).c_str(),
               folder.c_str());
}

int64_t count(const PoolReport& report, bool (*wanted)(const std::string& status)) {
  return std::ranges::count_if(report.results, [&](auto& result) { return wanted(result.status); });
}

bool incomplete(const std::string& status) { return status != "completed"; }
bool resumable(const std::string& status) { return status == "stopped" || status == "waiting"; }

ExitCode exit_code(const PoolReport& report) {
  if (report.signal == SIGINT) return ExitCode::interrupted;
  if (report.signal) return ExitCode::terminated;
  if (report.error) return report.error->exit_code();
  return count(report, incomplete) ? ExitCode::incomplete : ExitCode::success;
}

nlohmann::json summary_json(const StudyFolder& study, const PoolReport& report) {
  nlohmann::json json{{"format", 1},
                      {"study", study.name},
                      {"folder", study.folder.string()},
                      {"interrupted", report.signal != 0},
                      {"trials", nlohmann::json::array()}};
  for (size_t i = 0; i < report.results.size(); ++i) {
    // The study's own trials come first, in the order in which they were given to the pool.
    json["trials"].push_back(trial_json(study.trials[i]));
    json["trials"].back()["reason"] = report.results[i].reason;
    json["trials"].back()["ran"] = report.results[i].ran;
  }
  if (report.error) json["error"] = to_json(*report.error);
  return json;
}

std::string remark(const PoolReport& report, const std::string& folder) {
  std::string text;
  const int64_t open = count(report, resumable);
  const int64_t failed =
      count(report, [](const std::string& status) { return status == "failed"; });
  if (open) text += fmt::format("{} not ended; the same command resumes.\n", plural(open, "trial"));
  if (failed) {
    text += fmt::format("{} failed: `assay status {}` tells why, --retry-failed runs them again.\n",
                        plural(failed, "trial"), folder);
  }
  if (std::ssize(report.results) > open) text += fmt::format("Next: assay report {}\n", folder);
  return text;
}

void print_summary(const fs::path& folder, const PoolReport& report, const Globals& globals) {
  const StudyFolder study = read_study(folder, ReadDepth::progress);
  if (globals.json) return print_json(summary_json(study, report));
  std::fputs((trial_table(study) + "\n" + remark(report, folder.string())).c_str(), stdout);
}

int run_study(const Arguments& arguments, const Globals& globals) {
  const fs::path worker = find_worker();
  const Plan plan = plan_study(worker, arguments.study, arguments.assignments);
  const fs::path folder =
      arguments.output.empty() ? fs::path("runs") / plan.name : fs::path(arguments.output);
  fs::create_directories(folder);
  const FolderLock lock(folder);
  std::vector<std::string> notes = write_plan(folder, plan, arguments.assignments);
  if (arguments.retry_failed) {
    if (const int64_t retried = forget_failures(folder, plan))
      notes.push_back(fmt::format("{} that failed will run again", plural(retried, "trial")));
  }
  announce(plan, folder, globals);
  if (!globals.quiet) {
    for (const std::string& text : plan.warnings) warn(text, globals.color);
    for (const std::string& text : notes) std::fprintf(stderr, "note: %s\n", text.c_str());
  }
  RunProgress progress(folder, plan.trials, arguments.workers, globals);
  const PoolSettings settings{
      .worker = worker, .study = folder, .base = plan.base, .workers = arguments.workers};
  const PoolReport report = run_pool(settings, plan.trials, progress);
  progress.finish();
  print_summary(folder, report, globals);
  if (report.error)
    std::fputs(render(*report.error, use_color(globals.color, stderr)).c_str(), stderr);
  return static_cast<int>(exit_code(report));
}

}  // namespace

void add_run(CLI::App& app, const Globals& globals, Command& run) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("run",
                                         "Train and measure every trial of a study. Given again, "
                                         "it resumes: ended trials are skipped, the\n"
                                         "others go on from their checkpoints.");
  command->add_option("STUDY", arguments->study, "Study file (TOML)")->required();
  command->add_option("-o,--output", arguments->output,
                      "Study folder [default: runs/NAME of the study]");
  command
      ->add_option(
          "--workers", arguments->workers,
          "Trials trained at the same time, one thread each; the default is the number of cores")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  command
      ->add_option("--set", arguments->assignments,
                   "Change a value of the study: --set train.batch=32 (repeatable)")
      ->take_all()
      ->type_name("KEY=VALUE")
      ->expected(1);
  command->add_flag("--retry-failed", arguments->retry_failed,
                    "Run failed trials again, from their last checkpoint");
  command->footer("Example: assay run studies/demo.toml -o runs/demo --workers 2");
  command->callback([arguments, &globals, &run] {
    run = [arguments, &globals] { return run_study(*arguments, globals); };
  });
}

}  // namespace assay::cli
