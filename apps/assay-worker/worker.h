// Subcommands of assay-worker. Each returns an exit code; errors are thrown.
#pragma once

#include <CLI/CLI.hpp>

namespace assay::worker {

/// Adds the subcommand and, when it is chosen, sets `run`.
using Command = std::function<int()>;
void add_resolve(CLI::App& app, Command& run);
void add_train(CLI::App& app, Command& run);
void add_list(CLI::App& app, Command& run);
void add_measure(CLI::App& app, Command& run);
void add_doctor(CLI::App& app, Command& run);

}  // namespace assay::worker
