// assay check STUDY.toml: the trials of a study and their cost, before anything is trained.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/assay/command.h"
#include "apps/assay/console.h"
#include "assay/schedule/plan.h"
#include "assay/schedule/worker_process.h"

namespace assay::cli {
namespace {

constexpr double kAssumedRate =
    50e9;  // FLOP/s of one core: what small transformers reach in float32

// All trials on `cores` workers: never less than the longest one takes.
double seconds_for(const Plan& plan, unsigned cores) {
  double longest = 0;
  for (const PlannedTrial& trial : plan.trials) longest = std::max(longest, trial.flops);
  return std::max(longest, plan.flops() / cores) / kAssumedRate;
}

nlohmann::json document(const Plan& plan, unsigned cores) {
  nlohmann::json json = *plan.json;
  json["assumed_flops_per_second_and_core"] = kAssumedRate;
  json["cores"] = cores;
  json["estimated_seconds"] = seconds_for(plan, cores);
  return json;
}

std::string text_of(const Plan& plan, unsigned cores) {
  std::vector<std::vector<std::string>> rows{
      {"trial", "id", ">parameters", ">steps", ">FLOPs", ">time on one core"}};
  for (const PlannedTrial& trial : plan.trials) {
    rows.push_back({trial.name, trial.id, count_text(trial.parameters),
                    fmt::format("{}", trial.steps), flops_text(trial.flops),
                    duration_text(trial.flops / kAssumedRate)});
  }
  std::string text = plan.name + (plan.question.empty() ? "" : ": " + plan.question) + "\n\n";
  text += table(rows);
  text += fmt::format(
      "\n{}, {} FLOPs of training: about {} on {}, assuming {:.0f} GFLOP/s per core, without "
      "measuring.\n",
      plural(std::ssize(plan.trials), "trial"), flops_text(plan.flops()),
      duration_text(seconds_for(plan, cores)), plural(cores, "core"), kAssumedRate / 1e9);
  return text;
}

int check(const std::string& study, const std::vector<std::string>& assignments,
          const Globals& globals) {
  const Plan plan = plan_study(find_worker(), study, assignments);
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  if (globals.json) {
    print_json(document(plan, cores));
    return 0;
  }
  std::fputs(text_of(plan, cores).c_str(), stdout);
  if (!globals.quiet)
    for (const std::string& text : plan.warnings) warn(text, globals.color);
  return 0;
}

}  // namespace

void add_check(CLI::App& app, const Globals& globals, Command& run) {
  struct Arguments {
    std::string study;
    std::vector<std::string> assignments;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "check", "Check a study file and show its trials, their size and cost; trains nothing");
  command->add_option("STUDY", arguments->study, "Study file (TOML)")->required();
  command
      ->add_option("--set", arguments->assignments,
                   "Change a value of the study, as in `assay run`")
      ->take_all()
      ->type_name("KEY=VALUE")
      ->expected(1);
  command->footer("Example: assay check studies/demo.toml --set train.batch=32");
  command->callback([arguments, &globals, &run] {
    run = [arguments, &globals] {
      return check(arguments->study, arguments->assignments, globals);
    };
  });
}

}  // namespace assay::cli
