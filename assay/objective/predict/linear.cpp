// predict linear: one linear map from the trunk's features of a token to its prediction.
#include <fmt/format.h>

#include "assay/model/decoder.h"
#include "assay/objective/registry.h"

namespace assay {

namespace {

class LinearHead : public Predict {
 public:
  LinearHead(int64_t width, int64_t outputs, Seed init) {
    linear_ =
        register_module("linear", std::make_shared<Linear>(width, outputs, init.child("linear"),
                                                           output_gain(width, outputs)));
  }

  Tensor predict(const Tensor& encoded, const NoiseField& field, Tokens which) override {
    const Tensor positions = field.positions(which);
    // Dropped tokens are not in `encoded`, which then holds exactly the visible ones.
    if (field.drop || !positions.defined()) return linear_->forward(encoded);
    return linear_->forward(take_positions(encoded, positions));
  }

  double flops(int64_t, int64_t predicted) const override {
    return linear_->flops(static_cast<double>(predicted));
  }

 private:
  std::shared_ptr<Linear> linear_;
};

}  // namespace

PartEntry<Predict> predict_linear() {
  PartEntry<Predict> entry;
  entry.info = {"predict",         "linear", "a linear map of the trunk's features, token by token",
                "p_i = W h_i + b", "",       {}};
  entry.check = [](const Options& options, const Setting& setting) {
    if (setting.drops && setting.target.tokens != Tokens::visible)
      throw options.error(
          "kind", "config.predict",
          fmt::format("`linear` in [{}] cannot predict tokens that the trunk dropped",
                      options.where()),
          "set predict.kind = \"decoder\", or corrupt.drop = false");
  };
  entry.make = [](const Options&, const Setting& setting, Seed init) {
    return std::make_shared<LinearHead>(setting.model.width, setting.target.outputs, init);
  };
  return entry;
}

}  // namespace assay
