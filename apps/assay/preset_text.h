// A resolved preset as the worker describes it (assay-worker list presets), as text for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace assay::cli {

/// A value of TOML on one line; tables are inline, `kind` first.
std::string toml_value(const nlohmann::json& value);

/// Valid TOML, in the form of the files in presets/: the composition with every default; costs and
/// the formula of each part stand in comments.
std::string preset_text(const nlohmann::json& preset);

}  // namespace assay::cli
