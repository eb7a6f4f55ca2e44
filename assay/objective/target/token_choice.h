// The option `tokens` of targets.
#pragma once

#include "assay/objective/registry.h"

namespace assay {

Option tokens_option(const std::string& fallback = "all");
Tokens tokens_of(const Options& options);

/// Targets for the tokens `which` of a sequence [B, T, …]: next = tokens 1 … T - 1.
Tensor target_tokens(const Tensor& values, const NoiseField& field, Tokens which);

}  // namespace assay
