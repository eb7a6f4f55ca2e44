// What is registered, as JSON: each list is an array of entries with a `name`.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "assay/core/options.h"

namespace assay::worker {

/// Name, type and help of each; `default`, `range`, `required` and nested `options` where there
/// are.
nlohmann::json options_json(const std::vector<Option>& options);

/// Parts by slot, in the order of a term: summary, formula, source, options, `needs` (images or
/// text). only: a part or a slot; empty = all.
nlohmann::json parts_json(const std::string& only);

/// Presets as resolved for the nominal model and data of `for`: composition with every default,
/// formulas of its parts, and what it costs.
nlohmann::json presets_json(const std::string& only);

}  // namespace assay::worker
