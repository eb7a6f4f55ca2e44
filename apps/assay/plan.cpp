// assay plan: which runs determine an exponent as precisely as is wanted, before any is paid for.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/assay/command.h"
#include "apps/assay/console.h"
#include "apps/assay/output.h"
#include "apps/assay/plan_options.h"
#include "apps/assay/plan_text.h"
#include "assay/core/error.h"
#include "assay/law/plan/stored_guess.h"

namespace assay::cli {
namespace {

using Arguments = PlanArguments;

constexpr double kSigma = 0.005;  // of tiny models, where nothing better is known

double number_of(std::string_view text, const std::string& whole, const char* option) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || !(value > 0))
    throw Error("usage.range",
                fmt::format("{} {} is no range of numbers above zero", option, whole),
                "write LOW:HIGH, such as 3e4:1e7, or one value where it does not vary");
  return value;
}

std::pair<double, double> range_of(const std::string& text, const char* option) {
  const std::string_view view = text;
  const std::size_t colon = view.find(':');
  const double low = number_of(view.substr(0, colon), text, option);
  return {low, colon == std::string::npos ? low : number_of(view.substr(colon + 1), text, option)};
}

SweepRegion region_of(const Arguments& arguments) {
  const auto [least_size, greatest_size] = range_of(arguments.sizes, "--n-range");
  const auto [least_data, greatest_data] = range_of(arguments.data, "--d-range");
  SweepRegion region{least_size, greatest_size, least_data, greatest_data};
  check_region(region);
  if (arguments.output.empty()) return region;
  // Bounds that exist, so that candidates and levels are those of the region.
  const SizeRounding rounding = arguments.shape.rounding();
  region = {rounding.model_size(least_size), rounding.model_size(greatest_size),
            rounding.data_size(least_data), rounding.data_size(greatest_data)};
  check_region(region);
  const auto collapsed = [](const char* option, const std::string& range, bool asked, bool left,
                            const char* unit) {
    if (asked && !left)
      throw Error("usage.range",
                  fmt::format("{} {} is one value once it is rounded to {}", option, range, unit),
                  "a wider range, or fewer --heads: widths are multiples of 8 and of the heads");
  };
  collapsed("--n-range", arguments.sizes, least_size < greatest_size,
            region.least_size < region.greatest_size, "trunk widths");
  collapsed("--d-range", arguments.data, least_data < greatest_data,
            region.least_data < region.greatest_data, "whole batches");
  return region;
}

void take_guess(const Arguments& arguments, SweepRequest& request, std::string& source,
                const Globals& globals) {
  if (arguments.from.empty()) {
    request.guess = guess_law(arguments.shares, request.region);
    request.sigma = arguments.sigma.value_or(kSigma);
    return;
  }
  const SweepRegion& region = request.region;
  const bool sizes_alone = region.size_decades() > 0 && !(region.data_decades() > 0);
  const LawAxis axis = sizes_alone ? LawAxis::model_size : LawAxis::data_size;
  const StoredGuess stored = read_guess(arguments.from, arguments.group, axis);
  request.guess = stored.law;
  request.sigma = arguments.sigma.value_or(stored.sigma);
  if (!(request.sigma > 0))
    throw Error("usage.sigma",
                "the law of " + arguments.from + " has no noise, and a plan needs one",
                "give --sigma, the standard deviation of log loss between seeds");
  if (stored.law.form->axes().size() == 1 && region.size_decades() > 0 && region.data_decades() > 0)
    throw Error(
        "usage.range",
        fmt::format("the law of {} is one of {}, and both ranges vary", arguments.from,
                    axis_symbol(axis)),
        axis == LawAxis::data_size ? "give --n-range one size" : "give --d-range one amount");
  if (!arguments.flops_per && stored.flops_per) request.cost.flops_per = *stored.flops_per;
  source = arguments.from + (stored.group.empty() ? "" : " (" + stored.group + ")");
  if (!stored.identifiable && !globals.quiet)
    warn("the table behind " + source +
             " does not identify this law's parameters: its minimum is only a rough guess",
         globals.color);
}

SweepKind kind_of(const std::string& name) {
  return name == "grid"      ? SweepKind::grid
         : name == "isoflop" ? SweepKind::isoflop
                             : SweepKind::optimal;
}

SweepRequest request_of(const Arguments& arguments) {
  SweepRequest request;
  request.kind = kind_of(arguments.design);
  request.region = region_of(arguments);
  const bool study = !arguments.output.empty();
  if (study) request.rounding = arguments.shape.rounding();
  request.cost = {.flops_per = arguments.flops_per.value_or(study ? 6 * StudyShape::kTokens : 6),
                  .rate = arguments.gflops * 1e9,
                  .workers = arguments.workers,
                  .overhead = arguments.overhead};
  request.target = {arguments.of, arguments.standard_error, arguments.half_width};
  request.hours = arguments.hours;
  request.grid.sizes = arguments.levels_of_size.value_or(request.grid.sizes);
  request.grid.budgets = arguments.levels_of_data.value_or(request.grid.budgets);
  request.grid.seeds = arguments.seeds.value_or(1);
  request.grid.corner_seeds = arguments.corner_seeds.value_or(request.grid.corner_seeds);
  request.isoflop.sizes = arguments.levels_of_size.value_or(request.isoflop.sizes);
  request.isoflop.budgets = arguments.levels_of_data.value_or(request.isoflop.budgets);
  request.isoflop.seeds = arguments.seeds.value_or(1);
  request.layout_given = arguments.levels_of_size || arguments.levels_of_data;
  request.levels = arguments.candidates;
  request.exchange.most_runs = arguments.most_runs;
  request.exchange.most_seeds = arguments.most_seeds;
  request.determinant = arguments.criterion == "determinant";
  return request;
}

std::vector<std::string> comments_of(const PlanView& view) {
  std::vector<std::string> lines = {fmt::format(
      "Written by `assay plan`: {} of {} at {}, {} on {}.", kind_name(view.request.kind),
      plural(view.plan.precision.runs, "run"), plural(std::ssize(view.plan.sweep), "point"),
      duration_text(view.plan.hours * 3600), plural(view.request.cost.workers, "worker"))};
  std::string errors = "Standard errors to expect:";
  for (const ExponentError& exponent : view.plan.precision.exponents)
    errors += fmt::format(" {} {:.2g},", exponent.name, exponent.standard_error);
  errors +=
      fmt::format(" for noise of {:.2g} in log loss and a law as guessed.", view.request.sigma);
  lines.push_back(errors);
  if (!view.plan.reached) lines.push_back("This does not reach the target that was asked for.");
  return lines;
}

// Runs of seconds cost what starting and measuring them costs.
bool overhead_matters(const SweepRequest& request, const SweepPlan& plan) {
  constexpr double kShort = 10;  // seconds
  int brief = 0;
  for (const SweepPoint& point : plan.sweep)
    if (request.cost.flops(point) / request.cost.rate < kShort) brief += point.runs;
  return request.cost.overhead == 0 && 2 * brief > plan.precision.runs;
}

/// Options that another design than the chosen one has.
void check_design_options(const CLI::App& command, const std::string& design) {
  struct Of {
    const char *option, *designs;
  };
  for (const Of& of : {Of{"--sizes", "grid or isoflop"}, Of{"--budgets", "grid or isoflop"},
                       Of{"--seeds", "grid or isoflop"}, Of{"--corner-seeds", "grid"},
                       Of{"--candidates", "optimal"}, Of{"--most-runs", "optimal"},
                       Of{"--most-seeds", "optimal"}, Of{"--criterion", "optimal"}})
    if (command.count(of.option) > 0 &&
        std::string_view(of.designs).find(design) == std::string::npos)
      throw Error("usage.design",
                  fmt::format("{} has no meaning with --design {}", of.option, design),
                  fmt::format("leave it out, or plan with --design {}", of.designs));
}

void warn_of_slices(const SweepRequest& request, const SweepPlan& plan, const std::string& color) {
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (const SweepPoint& point : plan.sweep) {
    least = std::min(least, request.cost.flops(point));
    most = std::max(most, request.cost.flops(point));
  }
  if (request.kind == SweepKind::isoflop && std::log10(most / least) < 2.95)
    warn(fmt::format(
             "the slices cover {:.1f} decades of compute, and 3 are advised: wider ranges, or "
             "--design grid",
             std::log10(most / least)),
         color);
}

/// Sizes that round to one width become seeds of it.
void warn_of_widths(const SweepRequest& request, const SweepPlan& plan, const std::string& color) {
  if (request.kind != SweepKind::grid || request.target.given()) return;
  std::set<double> sizes;
  for (const SweepPoint& point : plan.sweep) sizes.insert(point.model_size);
  const int64_t wanted = request.region.least_size == request.region.greatest_size
                             ? 1
                             : static_cast<int64_t>(request.grid.sizes);
  if (std::ssize(sizes) < wanted)
    warn(
        fmt::format("of {} model sizes only {} differ once they are rounded to widths: the others "
                    "are further seeds of these; a wider --n-range, fewer --sizes or fewer --heads",
                    wanted, sizes.size()),
        color);
}

int plan(const Arguments& arguments, const Globals& globals) {
  check_shape(arguments.shape);
  if (!arguments.output.empty()) check_output(arguments.output, {arguments.from});
  SweepRequest request = request_of(arguments);
  std::string source = "guessed";
  take_guess(arguments, request, source, globals);
  const SweepPlan plan = plan_sweep(request);
  PlanView view{request, plan, arguments.correlation, source, std::nullopt};
  if (!arguments.output.empty()) {
    view.shape = arguments.shape;
    write_output(arguments.output,
                 study_text(plan.sweep, arguments.shape, arguments.objectives, comments_of(view)));
  }
  if (globals.json)
    print_json(plan_json(view));
  else
    std::printf("%s%s", plan_text(view).c_str(),
                arguments.output.empty() ? "" : ("study in " + arguments.output + "\n").c_str());
  if (!globals.quiet) {
    warn_of_slices(request, plan, globals.color);
    warn_of_widths(request, plan, globals.color);
  }
  if (overhead_matters(request, plan) && !globals.quiet)
    warn("most runs take less than 10 s: say with --overhead what their start and measuring takes",
         globals.color);
  return 0;
}

}  // namespace

void add_plan(CLI::App& app, const Globals& globals, Command& run) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "plan",
      "Plan a sweep of model sizes and data: which runs determine the exponents of a scaling law\n"
      "how precisely, for how many hours, and what limits them. Trains nothing.");
  add_plan_options(*command, *arguments);
  command->footer(
      "Example: assay plan --target-half-width 0.02 --of alpha --sigma 0.005 --design optimal \\\n"
      "           --n-range 3e4:3e6 --d-range 1e4:1e6 -o sweep.toml");
  command->callback([arguments, command, &globals, &run] {
    run = [arguments, command, &globals] {
      check_design_options(*command, arguments->design);
      if (command->count("--from") > 0 &&
          (command->count("--n-range") == 0 || command->count("--d-range") == 0))
        throw Error("usage.range", "a stored law says nothing about the sizes and data to come",
                    "give --n-range and --d-range");
      return plan(*arguments, globals);
    };
  });
}

}  // namespace assay::cli
