// predict linear: one linear map from the trunk's features of a token to its prediction.
#include "assay/objective/predict/shared.h"

namespace assay {

namespace {

class LinearHead : public Predict {
 public:
  LinearHead(int64_t width, int64_t outputs, Seed init) {
    linear_ =
        register_module("linear", std::make_shared<Linear>(width, outputs, init.child("linear"),
                                                           output_gain(width, outputs)));
  }

  Prediction predict(const Input& input) override {
    return {linear_->forward(predicted_features(input)), {}, {}};
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
  entry.info = {"predict",
                "linear",
                "a linear map of the trunk's features, token by token or of their mean",
                "p_i = W h_i + b",
                "",
                {}};
  entry.check = refuse_dropped_targets;
  entry.make = [](const Options&, const Setting& setting) {
    return std::make_shared<LinearHead>(setting.model.width, setting.target.outputs, setting.init);
  };
  return entry;
}

}  // namespace assay
