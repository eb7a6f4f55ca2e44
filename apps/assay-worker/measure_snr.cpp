// assay-worker measure snr: the noise view of one trial.
#include "assay/tensor/torch.h"

#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/assay-worker/measure.h"
#include "assay/study/measure_snr.h"

namespace assay::worker {
namespace {

struct Arguments {
  TrialArguments trial;
  BlockArguments block;
  std::vector<std::string> weights = {"averaged"}, by;
  std::string of = "snr";
  double half_width = 0.1, budget_gflops = 0;
  int64_t patterns = SnrPlan{}.patterns, memory_mb = SnrPlan{}.max_memory_mb;
};

void resolve(SnrPlan& plan, const std::string& by) {
  if (by == "layer")
    plan.layers_of_parts = true;
  else if (by == "level")
    plan.level_units = plan.aligned_units = plan.units;
  else if (by == "band")
    plan.band_units = plan.units;
  else if (by == "function")
    plan.function_units = plan.units;
  else
    throw Error("usage.unknown_name", fmt::format("cannot resolve by `{}`", by),
                suggest(by, {"layer", "level", "band", "function"}));
}

SnrRequest request_of(const Arguments& arguments) {
  SnrRequest request;
  if (arguments.of != "snr" && arguments.of != "share")
    throw Error("usage.unknown_name", fmt::format("no precision of `{}`", arguments.of),
                suggest(arguments.of, {"snr", "share"}));
  request.of = arguments.of == "snr" ? NoiseQuantity::snr : NoiseQuantity::share;
  if (arguments.patterns < 1)
    throw Error("usage.plan", fmt::format("{} patterns of a level", arguments.patterns),
                "give 1 or more");
  const bool only_total = request.of == NoiseQuantity::snr && arguments.patterns == 1;
  request.plan = arguments.block.plan(only_total ? 1 : 2);
  request.plan.patterns = arguments.patterns;
  request.plan.max_memory_mb = arguments.memory_mb;
  for (const std::string& by : arguments.by) resolve(request.plan, by);
  request.weights.clear();
  for (const std::string& name : arguments.weights) request.weights.push_back(weights_named(name));
  request.step = arguments.trial.step();
  request.all_steps = arguments.trial.all_steps();
  if (!(arguments.half_width > 0))
    throw Error("usage.half_width",
                fmt::format("a half-width of {} is never reached", arguments.half_width),
                "give a share of the value above 0, such as 0.1");
  request.half_width = arguments.half_width;
  if (arguments.budget_gflops > 0) request.budget_flops = 1e9 * arguments.budget_gflops;
  return request;
}

}  // namespace

void add_measure_snr(CLI::App& measure, Command& run) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = measure.add_subcommand("snr", "the noise view of one trial");
  arguments->trial.declare(*command);
  arguments->block.declare(*command);
  command->add_option("--weights", arguments->weights, "averaged, live")->delimiter(',');
  command->add_option("--by", arguments->by, "layer, level, band, function")->delimiter(',');
  command->add_option("--of", arguments->of, "snr | share");
  command->add_option("--half-width", arguments->half_width, "relative");
  command->add_option("--budget", arguments->budget_gflops, "GFLOP; 0 = the default");
  command->add_option("--patterns", arguments->patterns, "for each draw's level");
  command->add_option("--memory-mb", arguments->memory_mb, "MiB for gradients");
  command->callback([arguments, &run] {
    run = [arguments] {
      const SnrRequest request = request_of(*arguments);
      std::cout << measure_snr(arguments->trial.open(), request).dump() << '\n';
      return 0;
    };
  });
}

}  // namespace assay::worker
