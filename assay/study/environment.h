// Everything that decides whether two runs can agree bit for bit.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace assay {

/// Versions, device, CPU model, instruction set in use, threads, math-library variables, build.
nlohmann::json environment();

/// Writes folder/environment.json with the data's hashes, or compares with what is there. Returns
/// one sentence per difference. Throws Error data.changed if the data differ.
std::vector<std::string> record_environment(const std::filesystem::path& folder,
                                            const std::string& train_hash,
                                            const std::string& heldout_hash);

/// Compares the data's hashes with folder/environment.json; writes nothing. Throws Error
/// data.changed.
void check_data(const std::filesystem::path& folder, const std::string& train_hash,
                const std::string& heldout_hash);

}  // namespace assay
