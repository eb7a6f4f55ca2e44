// The option `of` of regularisers.
#include "assay/objective/regularise/tap_option.h"

namespace assay {

Option tap_option() {
  return declare::choice("of", "prediction", {"prediction", "features"},
                         "what is regularised: the predictions of a view, or the trunk's features; "
                         "both as the mean over tokens");
}

Tap tap_of(const Options& options) {
  return options.text("of") == "prediction" ? Tap::prediction : Tap::features;
}

Tensor for_each_row(const Tensor& scalar, int64_t batch) {
  return scalar.view({1, 1}).expand({batch, 1});
}

}  // namespace assay
