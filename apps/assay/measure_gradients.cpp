// assay measure gradients DIR/TRIAL --out FILE: per-unit gradients, to recompute the noise view.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/assay/console.h"
#include "apps/assay/measure.h"
#include "apps/assay/worker_answer.h"
#include "assay/schedule/worker_process.h"

namespace assay::cli {
namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string trial, out, at, weights = "averaged";
  int64_t units = 64, examples = 4, draws = 2;
  double max_gb = 4;
};

void print_file(const std::string& file, const Json& meta) {
  std::printf("%s: gradients of %ld units × %ld draws at step %ld, %.3g MB\n", file.c_str(),
              meta.at("units").get<long>(), meta.at("draws").get<long>(),
              meta.at("step").get<long>(), meta.at("bytes").get<double>() / 1e6);
}

int measure(const Arguments& arguments, const Globals& globals) {
  const MeasuredTrials measured = measured_trial(arguments.trial);
  WorkerArguments all("gradients", measured, measured.trials.front());
  all.add("at", arguments.at);
  all.add("out", std::filesystem::absolute(arguments.out).string());
  all.add("weights", arguments.weights);
  all.add("units", arguments.units);
  all.add("examples", arguments.examples);
  all.add("draws", arguments.draws);
  all.add("max-gb", arguments.max_gb);
  return unless_interrupted("nothing was written", globals, [&] {
    const Json meta = interruptible_answer(find_worker(), all.all());
    globals.json ? print_json(meta) : print_file(arguments.out, meta);
    return 0;
  });
}

}  // namespace

void add_measure_gradients(CLI::App& app, const Globals& globals, Command& run) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "gradients",
      "Export the gradient of every unit and draw, with ids, draw seeds and parameter ranges, so\n"
      "that the noise view can be recomputed elsewhere (docs/objective_snr.md).");
  command
      ->add_option("DIR/TRIAL", arguments->trial,
                   "One trial by id or name; a study folder where only one is completed")
      ->required();
  command->add_option("--out", arguments->out, "File to write (safetensors)")->required();
  command->add_option("--at", arguments->at, "Step of a snapshot [default: the last snapshot]");
  command->add_option("--weights", arguments->weights, "averaged or live")->capture_default_str();
  command->add_option("--units", arguments->units, "Units; the file takes units × draws gradients")
      ->capture_default_str();
  command->add_option("--examples", arguments->examples, "Examples to a unit")
      ->capture_default_str();
  command->add_option("--draws", arguments->draws, "Draws of the objective's randomness")
      ->capture_default_str();
  command->add_option("--max-gb", arguments->max_gb, "Refuse a larger file")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->footer("Example: assay measure gradients runs/demo/mae --out g.safetensors");
  command->callback([arguments, &globals, &run] {
    run = [arguments, &globals] { return measure(*arguments, globals); };
  });
}

}  // namespace assay::cli
