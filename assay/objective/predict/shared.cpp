// What predictors share.
#include "assay/objective/predict/shared.h"

#include <fmt/format.h>

#include <cmath>

namespace assay {

Tensor predicted_features(const Predict::Input& input) {
  // Dropped tokens are not in `encoded`, which then holds exactly the visible ones.
  const bool whole = input.field.drop && input.which != Tokens::pooled;
  return whole ? input.encoded : select_tokens(input.encoded, input.field, input.which);
}

std::vector<Option> decoder_options() {
  using namespace declare;
  return {real("width_ratio", 0.5, closed(0.03125, 4), "decoder width over trunk width"),
          integer("depth", 2, closed(1, 32), "layers"),
          integer("heads", 2, closed(1, 64), "attention heads per layer")};
}

DecoderConfig decoder_config(const Options& options, const Setting& setting) {
  const auto width =
      std::lround(options.real("width_ratio") * static_cast<double>(setting.model.width));
  return {width, options.integer("depth"), options.integer("heads")};
}

void check_decoder(const Options& options, const Setting& setting) {
  const DecoderConfig config = decoder_config(options, setting);
  if (config.width % 4 != 0 || config.width % config.heads != 0)
    throw options.error(
        "width_ratio", "config.model",
        fmt::format("decoder width {} ({} of {}) does not suit {} heads", config.width,
                    options.real("width_ratio"), setting.model.width, config.heads),
        "it must be divisible by 4 and by predict.heads");
}

}  // namespace assay
