// predict predictor: a two-layer perceptron, token by token.
#include "assay/objective/predict/perceptron.h"
#include "assay/objective/predict/shared.h"

namespace assay {

namespace {

class Predictor : public Predict {
 public:
  Predictor(int64_t width, int64_t hidden, int64_t outputs, Seed init) {
    perceptron_ = register_module(
        "perceptron", std::make_shared<Perceptron>(std::vector<int64_t>{width, hidden, outputs},
                                                   output_gain(hidden, outputs), init));
  }
  Prediction predict(const Input& input) override {
    return {perceptron_->forward(predicted_features(input)), {}, {}};
  }
  double flops(int64_t, int64_t predicted) const override {
    return perceptron_->flops(static_cast<double>(predicted));
  }

 private:
  std::shared_ptr<Perceptron> perceptron_;
};

}  // namespace

PartEntry<Predict> predict_predictor() {
  using namespace declare;
  PartEntry<Predict> entry;
  entry.info = {
      "predict",
      "predictor",
      "a perceptron of the trunk's features, token by token or of their mean: the asymmetry "
      "that keeps a student from its own teacher",
      "p_i = W₂ GELU(LN(W₁ h_i))",
      "Grill et al. 2020, arXiv 2006.07733 (BYOL), layer instead of batch normalisation",
      {real("hidden_ratio", 2.0, closed(0.125, 16), "hidden width over trunk width")}};
  entry.check = refuse_dropped_targets;
  entry.make = [](const Options& options, const Setting& setting) {
    return std::make_shared<Predictor>(setting.model.width,
                                       scaled_width(setting, options.real("hidden_ratio")),
                                       setting.target.outputs, setting.init);
  };
  return entry;
}

}  // namespace assay
