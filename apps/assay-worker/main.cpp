// assay-worker: the half of Assay that needs LibTorch. `assay` starts it; people rarely do.
#include "assay/tensor/torch.h"

#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/assay-worker/worker.h"
#include "assay/core/error.h"
#include "assay/core/memory.h"
#include "assay/core/version.h"

namespace {

/// Errors leave as one JSON line: on stdout for commands that answer in JSON, on stderr for
/// `train`.
int report(const assay::Error& error, bool on_stderr) {
  const nlohmann::json document{{"error", to_json(error)}};
  const std::string text = document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::fprintf(on_stderr ? stderr : stdout, "%s\n", text.c_str());
  return static_cast<int>(error.exit_code());
}

/// LibTorch messages carry a C++ stack trace below the first line.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

int main(int argc, char** argv) {
  assay::keep_freed_memory();
  CLI::App app(
      "assay-worker resolves studies, trains and measures single trials; `assay` starts it.");
  app.set_version_flag("--version",
                       fmt::format("assay-worker {} ({})", assay::kVersion, assay::kBuild));
  app.require_subcommand(1);
  assay::worker::Command run;
  assay::worker::add_resolve(app, run);
  assay::worker::add_train(app, run);
  assay::worker::add_list(app, run);
  assay::worker::add_measure(app, run);
  assay::worker::add_doctor(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(assay::ExitCode::usage);
  }

  // One thread unless the environment says otherwise: beside any other load two OpenMP threads are
  // slower.
  if (!std::getenv("OMP_NUM_THREADS")) at::set_num_threads(1);
  const bool on_stderr = app.got_subcommand("train");
  try {
    return run();
  } catch (const assay::Error& error) {
    return report(error, on_stderr);
  } catch (const c10::Error& error) {
    return report(assay::Error("trial.tensor", first_line(error.what_without_backtrace()),
                               "this is a defect of Assay or of a part: please report it"),
                  on_stderr);
  } catch (const std::bad_alloc&) {
    return report(assay::Error("environment.memory", "out of memory",
                               "use fewer workers (--workers) or a smaller model"),
                  on_stderr);
  } catch (const std::exception& error) {
    return report(assay::Error("internal.unexpected", error.what(), "please report it"), on_stderr);
  }
}
