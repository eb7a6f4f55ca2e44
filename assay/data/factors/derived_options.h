// The options that name derived factors, for images and for text.
#pragma once

#include <span>
#include <string_view>

#include "assay/core/options.h"

namespace assay {

struct DerivedChoice {
  std::string_view name, kind, summary;
};

/// `derived` (whose help lists the choices) and `derived_bins`. `derived` is optional, so that
/// studies without it resolve to what they always did.
std::vector<Option> derived_options(std::span<const DerivedChoice> choices);

/// What `derived` names; empty without it. Throws Error config.choice, config.duplicate.
std::vector<std::string> derived_names(const Options& options,
                                       std::span<const DerivedChoice> choices);

int64_t derived_bins(const Options& options);

}  // namespace assay
