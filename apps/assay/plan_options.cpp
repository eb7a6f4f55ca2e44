#include "apps/assay/plan_options.h"

namespace assay::cli {
namespace {

void add_law_options(CLI::App& command, PlanArguments& to) {
  command.add_option("--n-range", to.sizes, "Model sizes, LOW:HIGH parameters, or one")
      ->capture_default_str();
  command.add_option("--d-range", to.data, "Data, LOW:HIGH examples or tokens, or one amount")
      ->capture_default_str();
  CLI::Option* from = command.add_option(
      "--from", to.from,
      "Law that `assay fit -o FILE` has stored: its parameters and σ as the guess");
  command.add_option("--group", to.group, "Which law of several in that file")->needs(from);
  command.add_option("--alpha", to.shares.alpha, "Guessed exponent of N")
      ->capture_default_str()
      ->excludes(from);
  command.add_option("--beta", to.shares.beta, "Guessed exponent of D")
      ->capture_default_str()
      ->excludes(from);
  command
      .add_option("--floor-share", to.shares.floor_share,
                  "Guessed share of the floor E in the loss at the centre of the ranges")
      ->capture_default_str()
      ->excludes(from);
  command.add_option("--sigma", to.sigma,
                     "Standard deviation of log loss between seeds [0.005, or that of --from]");
}

void add_target_options(CLI::App& command, PlanArguments& to) {
  CLI::Option* error =
      command.add_option("--target-se", to.standard_error, "Standard error wanted");
  command.add_option("--target-half-width", to.half_width, "Half of a 95% interval wanted")
      ->excludes(error);
  command
      .add_option(
          "--of", to.of,
          "Of which exponent: alpha, beta, c, allocation (a of N* ∝ C^a), or exponents: the "
          "worst of them")
      ->capture_default_str();
  command.add_option("--hours", to.hours, "Hours on all workers that may be spent");
  command
      .add_option(
          "--correlation", to.correlation,
          "Of the noise of two objectives compared: about 0.5 with common seeds and data order")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 0.999));
}

void add_design_options(CLI::App& command, PlanArguments& to) {
  command
      .add_option("--design", to.design,
                  "grid; isoflop: slices of equal compute about the guessed optimum; optimal: runs "
                  "exchanged until no other sweep of that cost is better")
      ->capture_default_str()
      ->check(CLI::IsMember({"grid", "isoflop", "optimal"}));
  command
      .add_option("--sizes", to.levels_of_size, "Model sizes of the grid [5], or of each slice [4]")
      ->check(CLI::Range(1, 100));
  command.add_option("--budgets", to.levels_of_data, "Data budgets of the grid [5], or slices [5]")
      ->check(CLI::Range(1, 100));
  command
      .add_option("--seeds", to.seeds,
                  "Seeds of every point of a grid or slice; with a target at least so many [1]")
      ->check(CLI::Range(1, 1000));
  command
      .add_option("--corner-seeds", to.corner_seeds, "Further seeds at the corners of the grid [2]")
      ->check(CLI::Range(0, 1000));
  command.add_option("--candidates", to.candidates, "Levels of N and D that optimal chooses from")
      ->capture_default_str()
      ->check(CLI::Range(3, 17));
  command.add_option("--most-runs", to.most_runs, "Runs that optimal may use")
      ->capture_default_str()
      ->check(CLI::Range(16, 300));
  command.add_option("--most-seeds", to.most_seeds, "Seeds at one point that optimal may use")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  command
      .add_option(
          "--criterion", to.criterion,
          "Of optimal: target (c-optimal for --of) or determinant (D-optimal for the whole law)")
      ->capture_default_str()
      ->check(CLI::IsMember({"target", "determinant"}));
}

void add_cost_options(CLI::App& command, PlanArguments& to) {
  command.add_option(
      "--flops-per", to.flops_per,
      "k of a run's k N D FLOPs: 6 × tokens per example [that of --from, else 6; with -o 96, for "
      "images of 16 tokens]");
  command.add_option("--gflops", to.gflops, "GFLOP/s that one worker reaches")
      ->capture_default_str();
  command.add_option("--workers", to.workers, "Runs at a time [cores of this machine]");
  command
      .add_option("--overhead", to.overhead, "Seconds a run beside training: its start, measuring")
      ->capture_default_str();
}

void add_study_options(CLI::App& command, PlanArguments& to) {
  CLI::Option* output =
      command.add_option("-o,--output", to.output, "Study file to write, for `assay run`");
  command.add_option("--objective", to.objectives, "Presets of the study [mae]")->needs(output);
  command.add_option("--depth", to.shape.depth, "Layers of its trunks")
      ->capture_default_str()
      ->needs(output);
  command.add_option("--heads", to.shape.heads, "Attention heads of its trunks")
      ->capture_default_str()
      ->needs(output);
}

}  // namespace

void add_plan_options(CLI::App& command, PlanArguments& to) {
  add_law_options(command, to);
  add_target_options(command, to);
  add_design_options(command, to);
  add_cost_options(command, to);
  add_study_options(command, to);
}

}  // namespace assay::cli
