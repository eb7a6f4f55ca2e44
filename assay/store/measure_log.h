// measures.jsonl: what `assay measure` found out about a trial after it was trained.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <vector>

namespace assay {

/// Adds the records to trial/measures.jsonl, all of them or none, whatever interrupts it. Several
/// processes may do so at once, beside one that trains the trial: they take turns. Throws Error
/// environment.disk_full, store.write, environment.lock.
void append_measures(const std::filesystem::path& trial,
                     const std::vector<nlohmann::json>& records);

}  // namespace assay
