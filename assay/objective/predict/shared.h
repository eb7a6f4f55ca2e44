// What predictors share.
#pragma once

#include "assay/model/decoder.h"
#include "assay/objective/registry.h"

namespace assay {

/// Trunk features of the tokens that are predicted, or of their mean. [B, n, D]
Tensor predicted_features(const Predict::Input& input);

/// The options `width_ratio`, `depth` and `heads` of a light transformer, and their values.
std::vector<Option> decoder_options();
DecoderConfig decoder_config(const Options& options, const Setting& setting);
/// Throws Error config.model if the width does not suit the heads.
void check_decoder(const Options& options, const Setting& setting);

}  // namespace assay
