// assay measure difference FIRST SECOND: two trials on the same examples and draws.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/assay/console.h"
#include "apps/assay/measure.h"
#include "apps/assay/worker_answer.h"
#include "assay/schedule/worker_process.h"

namespace assay::cli {
namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string first, second, at, second_at, weights = "averaged";
  int64_t units = 64, examples = 4, draws = 2, memory_mb = 512;
};

const char* verdict_of(const Measurement& m) {
  if (m.low && *m.low > 0) return "first is higher";
  if (m.high && *m.high < 0) return "second is higher";
  return "cannot tell";
}

std::string text_of(const Json& step) {
  std::vector<std::vector<std::string>> rows{{"first less second", "95%", "", ">examples"}};
  for (const Json& line : step.at("measurements")) {
    const Measurement m = measurement_from_json(line);
    rows.push_back({m.quantity.substr(0, m.quantity.rfind('_')), interval_text(m), verdict_of(m),
                    fmt::format("{}", m.n)});
  }
  return table(rows);
}

/// Name and step of the second.
std::string with_of(const Json& step) {
  return measurement_from_json(step.at("measurements").front()).labels.at("with");
}

int measure(const Arguments& arguments, const Globals& globals) {
  const MeasuredTrials first = measured_trial(arguments.first);
  const MeasuredTrials second = measured_trial(arguments.second);
  const TrialFolder &a = first.trials.front(), &b = second.trials.front();
  WorkerArguments all("difference", first, a);
  all.add("at", arguments.at);
  all.add("with", b.folder.string());
  all.add("with-base", second.study.base);
  all.add("with-at", arguments.second_at);
  all.add("weights", arguments.weights);
  all.add("units", arguments.units);
  all.add("examples", arguments.examples);
  all.add("draws", arguments.draws);
  all.add("memory-mb", arguments.memory_mb);
  return unless_interrupted("nothing was recorded", globals, [&] {
    tell(fmt::format("measuring {} and {} on the same examples", a.name, b.name), globals);
    const Json answer = interruptible_answer(find_worker(), all.all());
    if (globals.json)
      print_json({{"format", 1}, {"study", first.study.name}, {"trials", Json::array({answer})}});
    else
      for (const Json& step : answer.at("steps"))
        std::printf("%s, step %ld, less %s, trunk\n%s", a.name.c_str(), step.at("step").get<long>(),
                    with_of(step).c_str(), text_of(step).c_str());
    return 0;
  });
}

}  // namespace

void add_measure_difference(CLI::App& app, const Globals& globals, Command& run) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "difference",
      "Is one gradient noisier? Two trials, or two steps of one, on the same examples and draws:\n"
      "what they have in common cancels, so intervals are narrower than those of two values.");
  command->add_option("FIRST", arguments->first, "DIR/TRIAL by id or name")->required();
  command->add_option("SECOND", arguments->second, "DIR/TRIAL by id or name")->required();
  command->add_option("--at", arguments->at, "Step of a snapshot of the first [default: the last]");
  command->add_option("--second-at", arguments->second_at, "The same of the second");
  command->add_option("--weights", arguments->weights, "averaged or live")->capture_default_str();
  command->add_option("--units", arguments->units, "Units; intervals rest on them")
      ->capture_default_str();
  command->add_option("--examples", arguments->examples, "Examples to a unit")
      ->capture_default_str();
  command->add_option("--draws", arguments->draws, "Draws of each example; 1 = no shares")
      ->capture_default_str();
  command->add_option("--memory-mb", arguments->memory_mb, "For gradients of each, in MiB")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->footer(
      "Example: assay measure difference runs/demo/mae runs/demo/denoise --examples 32");
  command->callback([arguments, &globals, &run] {
    run = [arguments, &globals] { return measure(*arguments, globals); };
  });
}

}  // namespace assay::cli
