// Subcommands of assay. Each returns an exit code; errors are thrown.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>

namespace assay::cli {

/// Options of every subcommand.
struct Globals {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool no_progress = false;
  std::string color = "auto";  // auto | always | never
};

/// Adds the subcommand; when it is chosen, `run` is set.
using Command = std::function<int()>;
void add_run(CLI::App& app, const Globals& globals, Command& run);
void add_status(CLI::App& app, const Globals& globals, Command& run);
void add_report(CLI::App& app, const Globals& globals, Command& run);
void add_fit(CLI::App& app, const Globals& globals, Command& run);
void add_plan(CLI::App& app, const Globals& globals, Command& run);
void add_predict(CLI::App& app, const Globals& globals, Command& run);
void add_drivers(CLI::App& app, const Globals& globals, Command& run);
void add_measure(CLI::App& app, const Globals& globals, Command& run);
void add_check(CLI::App& app, const Globals& globals, Command& run);
void add_list(CLI::App& app, const Globals& globals, Command& run);
void add_doctor(CLI::App& app, const Globals& globals, Command& run);

}  // namespace assay::cli
