// assay measure drive DIR/TRIAL: what short branches of training teach, by factor.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/assay/console.h"
#include "apps/assay/measure.h"
#include "apps/assay/worker_answer.h"
#include "assay/schedule/worker_process.h"

namespace assay::cli {
namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string trial, at, objective, factors;
  int64_t branches = 4, steps = 50, images = 4000, probe_images = 5000, attribution_images = 256;
  int64_t head_steps = 100, threads = std::max(1u, std::thread::hardware_concurrency());
  bool no_nulls = false;
};

WorkerArguments worker_arguments(const Arguments& arguments, const MeasuredTrials& measured,
                                 const TrialFolder& trial) {
  WorkerArguments all("drive", measured, trial);
  all.add("at", arguments.at);
  all.add("objective", arguments.objective);
  all.add("factors", arguments.factors);
  all.add("branches", arguments.branches);
  all.add("steps", arguments.steps);
  all.add("threads", arguments.threads);
  all.add("images", arguments.images);
  all.add("probe-images", arguments.probe_images);
  all.add("attribution-images", arguments.attribution_images);
  all.add("head-steps", arguments.head_steps);
  if (arguments.no_nulls) all.flag("no-nulls");
  return all;
}

std::string label(const Measurement& m, const std::string& key) {
  const auto found = m.labels.find(key);
  return found == m.labels.end() ? "" : found->second;
}

std::string gains(const std::vector<Measurement>& all) {
  std::vector<std::string> order;
  std::map<std::string, std::map<std::string, Measurement>> rows;  // by factor, by quantity
  for (const Measurement& m : all) {
    const std::string factor = label(m, "factor"), null = label(m, "null");
    if (factor.empty() || m.quantity == "attribution_bits") continue;
    if (!rows.contains(factor)) order.push_back(factor);
    rows[factor].insert_or_assign(m.quantity + null, m);
  }
  std::vector<std::vector<std::string>> lines{
      {"factor", ">gain, bits", ">bits per GFLOP", ">useful SNR", ">random direction, bits"}};
  for (const std::string& factor : order) {
    const auto& of = rows[factor];
    const auto null = of.find("null_gain_bitsrandom direction");
    lines.push_back({factor, interval_text(of.at("gain_bits")), interval_text(of.at("useful_rate")),
                     interval_text(of.at("useful_snr")),
                     null == of.end() ? "–" : interval_text(null->second)});
  }
  return table(lines);
}

/// Where the sum over all factors came from, and how much branches agree.
std::string ways(const std::vector<Measurement>& all) {
  std::vector<std::vector<std::string>> lines{{"part of the way", ">bits, all factors"}};
  std::string drift;
  for (const Measurement& m : all) {
    if (m.quantity == "attribution_bits" && label(m, "factor") == "all" &&
        label(m, "group") == "trunk") {
      const std::string part = label(m, "part");
      lines.push_back({part.empty() ? "all parts" : part, interval_text(m)});
    }
    const std::string of = label(m, "of"), group = label(m, "group");
    if (m.quantity == "drift_snr" && (group == "trunk" || of == "features"))
      drift += fmt::format("drift SNR of the {}: {}\n",
                           of == "features" ? "features" : "trunk's parameters", interval_text(m));
  }
  return (lines.size() > 1 ? table(lines) : std::string()) + drift;
}

void print_steps(const std::string& trial, const Json& answer, const Arguments& arguments) {
  for (const Json& step : answer.at("steps")) {
    std::vector<Measurement> all;
    for (const Json& line : step.at("measurements")) all.push_back(measurement_from_json(line));
    const double flops = step.at("measuring").at(0).value("measuring_flops", 0.0);
    std::printf(
        "%s, step %ld: %ld branches of %ld steps%s\n%s\n%scost: %.3g GFLOP\n", trial.c_str(),
        step.at("step").get<long>(), static_cast<long>(arguments.branches),
        static_cast<long>(arguments.steps),
        arguments.objective.empty() ? "" : fmt::format(" of {}", arguments.objective).c_str(),
        gains(all).c_str(), ways(all).c_str(), flops / 1e9);
  }
}

int measure(const Arguments& arguments, const Globals& globals) {
  const MeasuredTrials measured = measured_trial(arguments.trial);
  const TrialFolder& trial = measured.trials.front();
  tell(fmt::format("branching from {}", trial.name), globals);
  return unless_interrupted("nothing was recorded", globals, [&] {
    const Json answer =
        interruptible_answer(find_worker(), worker_arguments(arguments, measured, trial).all());
    if (globals.json)
      print_json(
          {{"format", 1}, {"study", measured.study.name}, {"trials", Json::array({answer})}});
    else
      print_steps(trial.name, answer, arguments);
    return 0;
  });
}

}  // namespace

void add_measure_drive(CLI::App& app, const Globals& globals, Command& run) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "drive",
      "What training teaches from a checkpoint on: bits gained about each factor by short\n"
      "branches with data order and draws of their own. The trial itself is left as it is.");
  command->add_option("DIR/TRIAL", arguments->trial, "Trial, by id or name within its study folder")
      ->required();
  command->add_option("--at", arguments->at,
                      "Step of a snapshot [default: the last that leaves room for a branch]");
  const auto count = [&](const char* name, int64_t& value, const char* help, int64_t least) {
    command->add_option(name, value, help)
        ->capture_default_str()
        ->check(CLI::Range(least, std::numeric_limits<int64_t>::max()));
  };
  count("--branches", arguments->branches, "Branches; intervals rest on them", 2);
  count("--steps", arguments->steps, "Optimiser steps of a branch", 1);
  command->add_option("--objective", arguments->objective,
                      "Preset of the branches, on the trial's trunk [default: the trial's own]");
  count("--head-steps", arguments->head_steps,
        "Steps that train the head of another objective at the frozen trunk", 0);
  command->add_option("--factors", arguments->factors,
                      "Factors to read, separated by commas [default: all]");
  count("--images", arguments->images, "Held-out images that gains are measured on", 10);
  count("--probe-images", arguments->probe_images, "Held-out images that readouts are fitted on",
        20);
  count("--attribution-images", arguments->attribution_images,
        "Images behind the attribution to layers and loss terms; 0 = none", 0);
  command->add_flag("--no-nulls", arguments->no_nulls,
                    "Leave out shuffled labels and random directions");
  count("--threads", arguments->threads, "Branches at a time", 1);
  command->footer("Example: assay measure drive runs/demo/mae --at 400 --objective supervised");
  command->callback([arguments, &globals, &run] {
    run = [arguments, &globals] { return measure(*arguments, globals); };
  });
}

}  // namespace assay::cli
