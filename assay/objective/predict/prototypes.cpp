// predict prototypes: cosine similarity of the projected mean token to learned prototypes.
#include "assay/objective/predict/perceptron.h"
#include "assay/tensor/flops.h"
#include "assay/tensor/noise.h"

namespace assay {

namespace {

constexpr double kNormEpsilon = 1e-8;

Tensor unit_rows(const Tensor& x) { return x / x.norm(2, -1, true).clamp_min(kNormEpsilon); }

class PrototypeHead : public Predict {
 public:
  PrototypeHead(const std::vector<int64_t>& widths, int64_t count, Seed init) {
    perceptron_ = register_module("perceptron", std::make_shared<Perceptron>(widths, 1, init));
    prototypes_ = register_parameter(
        "prototypes", normal_tensor(init.child("prototypes"), {count, widths.back()}, 1));
  }
  Prediction predict(const Input& input) override {
    const Tensor z = perceptron_->forward(input.encoded.mean(1, true));
    return {at::linear(unit_rows(z), unit_rows(prototypes_)), {}, {}};
  }
  double flops(int64_t, int64_t) const override {
    return perceptron_->flops(1) + linear_flops(static_cast<double>(prototypes_.size(1)),
                                                static_cast<double>(prototypes_.size(0)), 1);
  }

 private:
  std::shared_ptr<Perceptron> perceptron_;
  Tensor prototypes_;  // [K, d]
};

}  // namespace

PartEntry<Predict> predict_prototypes() {
  using namespace declare;
  PartEntry<Predict> entry;
  entry.info = {
      "predict",
      "prototypes",
      "logits: cosine similarity of a projection of the mean token to each prototype",
      "g_k = z·w_k/(|z||w_k|),  z = projector(mean_i h_i)",
      "facebookresearch/dino vision_transformer.py DINOHead (weight-normalised last layer, norm 1)",
      {real("hidden_ratio", 4.0, closed(0.125, 64), "hidden width over trunk width"),
       integer("bottleneck", 64, closed(1, 4096), "numbers of the projection")}};
  entry.check = require_pooled;
  entry.make = [](const Options& options, const Setting& setting) {
    const std::vector<int64_t> widths{setting.model.width,
                                      scaled_width(setting, options.real("hidden_ratio")),
                                      options.integer("bottleneck")};
    return std::make_shared<PrototypeHead>(widths, setting.target.outputs, setting.init);
  };
  return entry;
}

}  // namespace assay
