// predict projector: a perceptron of the mean token, for objectives that compare views.
#include "assay/objective/predict/perceptron.h"

namespace assay {

namespace {

class Projector : public Predict {
 public:
  Projector(const std::vector<int64_t>& widths, Seed init) {
    perceptron_ = register_module("perceptron", std::make_shared<Perceptron>(widths, 1, init));
  }
  Prediction predict(const Input& input) override {
    return {perceptron_->forward(input.encoded.mean(1, true)), {}, {}};
  }
  double flops(int64_t, int64_t) const override { return perceptron_->flops(1); }

 private:
  std::shared_ptr<Perceptron> perceptron_;
};

}  // namespace

PartEntry<Predict> predict_projector() {
  using namespace declare;
  PartEntry<Predict> entry;
  entry.info = {"predict",
                "projector",
                "a perceptron of the mean token",
                "z = W_n … GELU(LN(W₁ mean_i h_i))",
                "Chen et al. 2020, arXiv 2002.05709 (SimCLR), layer instead of batch normalisation",
                {real("hidden_ratio", 4.0, closed(0.125, 64), "hidden width over trunk width"),
                 integer("hidden", 1, closed(0, 4), "hidden layers")}};
  entry.check = require_pooled;
  entry.make = [](const Options& options, const Setting& setting) {
    std::vector<int64_t> widths{setting.model.width};
    for (int64_t i = 0; i < options.integer("hidden"); ++i)
      widths.push_back(scaled_width(setting, options.real("hidden_ratio")));
    widths.push_back(setting.target.outputs);
    return std::make_shared<Projector>(widths, setting.init);
  };
  return entry;
}

}  // namespace assay
