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

}  // namespace assay::cli
