// The table of parts: builtin.def lists them, and each part's file describes itself.
#pragma once

#include "assay/objective/parts.h"

namespace assay {

/// An option that is itself a part: `law` of `level`.
struct Nested {
  std::string option, slot;
  Node fallback;  // null = required
};

/// What a part's file declares. `kind` in a configuration is info.name.
struct PartDescription {
  PartInfo info;
  std::optional<Modality> modality;  // data it needs; absent = any
  std::vector<Nested> nested;
};

template <class Slot>
struct PartEntry : PartDescription {
  std::function<std::shared_ptr<Slot>(const Options&, const Setting&)> make;
};

/// Predictors are built last: `check` refuses before any parameter is made.
template <>
struct PartEntry<Predict> : PartDescription {
  std::function<void(const Options&, const Setting&)> check;
  std::function<std::shared_ptr<Predict>(const Options&, const Setting&)> make;
};

/// All parts of a slot, in the order of builtin.def.
template <class Slot>
const std::vector<PartEntry<Slot>>& parts();

/// Fills in the part's defaults, checks its options; `table` holds `kind`. Throws Error
/// config.choice for an unknown kind with the nearest one, config.modality, and what Options
/// throws.
Node resolve_part(const std::string& slot, const Node& table, const Modality& data,
                  const std::string& where);

/// The entry and options of a resolved table.
template <class Slot>
struct Chosen {
  const PartEntry<Slot>* entry;
  Options options;
};
template <class Slot>
Chosen<Slot> choose(const Node& resolved, const std::string& where);

template <class Slot>
std::shared_ptr<Slot> make_part(const Node& resolved, const Setting& setting,
                                const std::string& where) {
  const Chosen<Slot> chosen = choose<Slot>(resolved, where);
  return chosen.entry->make(chosen.options, setting);
}

/// Checks of predictors. Both throw Error config.predict.
void refuse_dropped_targets(const Options& options, const Setting& setting);
void require_pooled(const Options& options, const Setting& setting);

/// A table { kind = "name" }: the default of a nested part.
Node kind_node(const std::string& name);

}  // namespace assay
