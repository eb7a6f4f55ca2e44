// The options of `assay plan`.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "apps/assay/plan_study.h"
#include "assay/law/plan/precision.h"

namespace assay::cli {

struct PlanArguments {
  std::string sizes = "3e4:1e7", data = "1e4:3.2e6", design = "grid", criterion = "target";
  std::string of = "exponents", from, group, output;
  GuessShares shares;
  std::optional<double> sigma, standard_error, half_width, hours, flops_per;
  std::optional<int> levels_of_size, levels_of_data, seeds, corner_seeds;
  double gflops = 50, overhead = 0, correlation = 0;
  int workers = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  int candidates = 9, most_runs = 60, most_seeds = 3;
  std::vector<std::string> objectives = {"mae"};
  StudyShape shape;
};

void add_plan_options(CLI::App& command, PlanArguments& to);

}  // namespace assay::cli
