// Asks the worker for JSON.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace assay::cli {

/// Runs the worker to its end and parses its stdout. Throws the Error that it answers with;
/// environment.worker if the answer is not JSON.
nlohmann::json worker_answer(const std::filesystem::path& worker,
                             const std::vector<std::string>& arguments);

/// The same for work that takes long: SIGINT and SIGTERM are passed on, and an interrupted worker
/// throws Interrupted with the exit code that `assay` then ends with.
struct Interrupted {
  int exit_code;
};
nlohmann::json interruptible_answer(const std::filesystem::path& worker,
                                    const std::vector<std::string>& arguments);

}  // namespace assay::cli
