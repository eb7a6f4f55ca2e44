// assay-worker measure: what its subcommands have in common, and the list of them.
#include "assay/tensor/torch.h"

#include "apps/assay-worker/measure.h"

#include <fmt/format.h>

#include <charconv>

#include "assay/core/error.h"

namespace assay::worker {

void TrialArguments::declare(CLI::App& command) {
  command.add_option("--trial", trial, "trial folder with config.json")->required();
  command.add_option("--base", base, "folder that relative data paths start from")->required();
  command.add_option("--at", at, "step of a snapshot, or all; empty = the last");
}

std::optional<int64_t> TrialArguments::step() const {
  if (at.empty() || all_steps()) return std::nullopt;
  int64_t step = 0;
  const auto [end, error] = std::from_chars(at.data(), at.data() + at.size(), step);
  if (error != std::errc() || end != at.data() + at.size())
    throw Error("usage.step", fmt::format("`{}` is not a step", at),
                "give the step of a snapshot, all, or leave --at out for the last one");
  return step;
}

void BlockArguments::declare(CLI::App& command) {
  command.add_option("--units", units, "units of a block");
  command.add_option("--examples", examples, "examples to a unit");
  command.add_option("--draws", draws, "draws per example");
}

SnrPlan BlockArguments::plan(int64_t fewest_draws) const {
  if (units < SnrPlan::kFewestUnits || examples < 1 || draws < fewest_draws)
    throw Error("usage.plan",
                fmt::format("{} units of {} examples with {} draws do not give what is asked",
                            units, examples, draws),
                fmt::format("at least {} units of 1 example, and --draws {}", SnrPlan::kFewestUnits,
                            fewest_draws));
  SnrPlan plan;
  plan.units = units;
  plan.examples_per_unit = examples;
  plan.draws = draws;
  plan.level_units = plan.band_units = 0;
  return plan;
}

Weights weights_named(const std::string& name) {
  if (name == "averaged") return Weights::averaged;
  if (name == "live") return Weights::live;
  throw Error("usage.unknown_name", fmt::format("unknown weights `{}`", name),
              suggest(name, {"averaged", "live"}));
}

void add_measure(CLI::App& app, Command& run) {
  CLI::App* measure = app.add_subcommand("measure", "measure a trained trial, as JSON");
  measure->require_subcommand(1);
  for (const auto add :
       {add_measure_snr, add_measure_difference, add_measure_drive, add_measure_gradients})
    add(*measure, run);
}

}  // namespace assay::worker
