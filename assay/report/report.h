// The report of a study: one self-contained HTML page, or the same content as JSON.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace assay {

/// One HTML file that needs no network: charts, tables and data are inside. Made from the study
/// folder alone, and the same folder gives the same bytes. Trials that are missing, running, failed
/// or diverged are shown as such; a torn last record is left out and said. Throws Error store.read
/// if `study` holds no study.json, store.corrupt for a broken file.
std::string report_html(const std::filesystem::path& study);

/// The content of the page: {"format": 1, "study", "verdict", "trials", "figures", "tables",
/// "limits"} (docs/records.md, "The report's JSON"). Throws as report_html.
nlohmann::json report_json(const std::filesystem::path& study);

}  // namespace assay
