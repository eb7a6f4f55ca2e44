// assay measure snr DIR[/TRIAL]: signal and noise of the gradient, as precise as asked.
#include <fmt/format.h>

#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "apps/assay/console.h"
#include "apps/assay/measure.h"
#include "apps/assay/worker_answer.h"
#include "assay/schedule/worker_process.h"
#include "assay/stats/noise_scale.h"

namespace assay::cli {
namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string trials, at, weights = "averaged", by, of = "snr";
  double half_width = 0.1, budget = 0;
  int64_t units = 64, examples = 4, draws = 2, patterns = 1, memory_mb = 512;
};

WorkerArguments worker_arguments(const Arguments& arguments, const MeasuredTrials& measured,
                                 const TrialFolder& trial) {
  WorkerArguments all("snr", measured, trial);
  all.add("at", arguments.at);
  all.add("weights", arguments.weights);
  all.add("by", arguments.by);
  all.add("of", arguments.of);
  all.add("half-width", arguments.half_width);
  all.add("budget", arguments.budget);
  all.add("units", arguments.units);
  all.add("examples", arguments.examples);
  all.add("draws", arguments.draws);
  all.add("patterns", arguments.patterns);
  all.add("memory-mb", arguments.memory_mb);
  return all;
}

std::string scale_text(const Measurement& snr) {
  constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
  return to_string(noise_scale(Estimate{
      .value = snr.value, .low = snr.low.value_or(kMissing), .high = snr.high.value_or(kMissing)}));
}

std::string part_of(const Measurement& m) {
  std::string text = m.labels.at("group");
  if (m.labels.at("metric") == "function") text += " in function space";
  if (m.labels.contains("level")) text += " level " + m.labels.at("level");
  if (m.labels.contains("band")) text += " band " + m.labels.at("band");
  return text;
}

std::string text_of(const Json& step, bool layers) {
  std::vector<std::vector<std::string>> rows{{"weights", "part", "SNR per example", "GNS",
                                              "objective share", "share of levels", ">|G|²",
                                              ">tr Σ", ">examples"}};
  std::map<std::pair<std::string, std::string>, std::map<std::string, Measurement>> parts;
  std::vector<std::pair<std::string, std::string>> order;
  for (const Json& line : step.at("measurements")) {
    const Measurement m = measurement_from_json(line);
    const bool layer = m.labels.at("group").starts_with("layer.");
    if (m.labels.at("metric") == "adam" || (layer && !layers)) continue;
    if (m.labels.contains("with") || m.quantity.ends_with("_level_variance")) continue;
    const std::pair key(m.labels.at("weights"), part_of(m));
    if (!parts.contains(key)) order.push_back(key);
    parts[key].insert_or_assign(m.quantity, m);
  }
  for (const auto& key : order) {
    const auto& of = parts[key];
    const Measurement& snr = of.at("snr_per_example");
    rows.push_back({key.first, key.second, interval_text(snr), scale_text(snr),
                    of.contains("objective_share") ? interval_text(of.at("objective_share")) : "–",
                    of.contains("level_share") ? interval_text(of.at("level_share")) : "–",
                    fmt::format("{:.3g}", of.at("signal").value),
                    fmt::format("{:.3g}", of.at("total_variance").value),
                    fmt::format("{}", snr.n)});
  }
  return table(rows);
}

/// How levels and bands stand to the whole gradient; empty where that was not measured.
std::string alignment_text(const Json& step) {
  std::vector<std::vector<std::string>> rows{{"weights", "part", "cosine with the whole"}};
  for (const Json& line : step.at("measurements")) {
    const Measurement m = measurement_from_json(line);
    if (m.quantity == "alignment" && m.labels.at("with") == "whole")
      rows.push_back({m.labels.at("weights"), part_of(m), interval_text(m)});
  }
  return rows.size() > 1 ? table(rows) : "";
}

std::string ends_of(const Json& step) {
  std::string text;
  double flops = 0;
  for (const Json& cost : step.at("measuring")) {
    flops += cost.value("measuring_flops", 0.0);
    const std::string by = cost.value("stopped_by", "");
    text += fmt::format("{} weights, {}: ", cost.value("weights", ""), cost.value("about", ""));
    if (by == "plan") {
      text += "one block, nothing to narrow\n";
      continue;
    }
    const Json& width = cost.at("half_width");
    text += fmt::format("{} of the trunk {} ({})\n",
                        cost.value("of", "") == "snr" ? "SNR" : "objective share",
                        width.is_number() ? fmt::format("±{:.2g}%", 100 * width.get<double>())
                                          : "unresolved from 0",
                        by == "half_width" ? "as asked"
                        : by == "budget"   ? "the budget ended it"
                                           : "all examples are used");
  }
  return text + fmt::format("cost: {:.3g} GFLOP\n", flops / 1e9);
}

void print_steps(const std::string& trial, const Json& answer, bool layers) {
  for (const Json& step : answer.at("steps"))
    std::printf("%s, step %ld\n%s%s%s\n", trial.c_str(), step.at("step").get<long>(),
                text_of(step, layers).c_str(), alignment_text(step).c_str(), ends_of(step).c_str());
  std::fflush(stdout);
}

int measure(const Arguments& arguments, const Globals& globals) {
  const MeasuredTrials measured = measured_trials(arguments.trials);
  const auto worker = find_worker();
  if (!measured.left_out.empty())
    tell(fmt::format("note: {} not completed and left out",
                     plural(std::ssize(measured.left_out), "trial")),
         globals);
  const bool layers = arguments.by.find("layer") != std::string::npos;
  Json answers = Json::array();
  return unless_interrupted("steps that were measured are kept", globals, [&] {
    for (const TrialFolder& trial : measured.trials) {
      tell(fmt::format("measuring {}", trial.name), globals);
      answers.push_back(
          interruptible_answer(worker, worker_arguments(arguments, measured, trial).all()));
      if (!globals.json) print_steps(trial.name, answers.back(), layers);
    }
    if (globals.json)
      print_json({{"format", 1}, {"study", measured.study.name}, {"trials", answers}});
    return 0;
  });
}

}  // namespace

void add_measure_snr(CLI::App& app, const Globals& globals, Command& run) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "snr",
      "Signal, data noise and objective noise of the gradient. Begins with one block of units and\n"
      "goes on until the trunk's 95% interval is as narrow as asked, or the budget is spent.");
  command
      ->add_option("DIR[/TRIAL]", arguments->trials,
                   "Study folder (all completed trials), or one trial by id or name")
      ->required();
  command->add_option("--at", arguments->at,
                      "Step of a snapshot, or all [default: the last snapshot]");
  command
      ->add_option("--half-width", arguments->half_width,
                   "Half of the interval to reach, relative to the value")
      ->capture_default_str();
  command->add_option("--of", arguments->of, "Of which quantity: snr, or share (the objective's)")
      ->capture_default_str();
  command
      ->add_option("--budget", arguments->budget,
                   "Most to spend on each step, in GFLOP [default: a tenth of the training]")
      ->check(CLI::PositiveNumber);
  command->add_option(
      "--by", arguments->by,
      "Also: layer, level, band, or function (as motion of the features), separated "
      "by commas");
  command->add_option("--weights", arguments->weights, "averaged, live or both (averaged,live)")
      ->capture_default_str();
  command->add_option("--units", arguments->units, "Units of a block; intervals rest on them")
      ->capture_default_str();
  command->add_option("--examples", arguments->examples, "Examples to a unit")
      ->capture_default_str();
  command
      ->add_option("--draws", arguments->draws,
                   "Draws of each example; 1 = no shares, and the SNR at the least cost")
      ->capture_default_str();
  command
      ->add_option("--patterns", arguments->patterns,
                   "Noises or masks for each draw's level; from 2 on the objective's variance is\n"
                   "split into what the level makes and what the pattern makes")
      ->capture_default_str();
  command->add_option("--memory-mb", arguments->memory_mb, "For gradients, in MiB")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->footer("Example: assay measure snr runs/demo/mae --at all --of share --by level,band");
  command->callback([arguments, &globals, &run] {
    run = [arguments, &globals] { return measure(*arguments, globals); };
  });
}

}  // namespace assay::cli
