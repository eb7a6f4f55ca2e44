// regularise weight_decay: the penalty on matrices as a term of its own, where it can be seen.
#include "assay/objective/regularise/tap_option.h"

namespace assay {

namespace {

// AdamW's decoupled decay (train.weight_decay) stands in no loss. This is the coupled penalty,
// whose share of the loss and of the gradient is measured like any other term's.
class WeightDecay : public Regularise {
 public:
  explicit WeightDecay(double weight) : weight_(weight) {}

  std::vector<double> weights(double) const override { return {weight_}; }
  bool coupled() const override { return false; }
  bool prevents_collapse() const override { return false; }
  std::string unit() const override { return "squared weight"; }
  Tensor loss(const std::vector<View>& views, const Draw&,
              const std::vector<Tensor>& matrices) const override {
    Tensor sum;
    for (const Tensor& matrix : matrices) {
      const Tensor own = matrix.square().sum() / 2;
      sum = sum.defined() ? sum + own : own;
    }
    return for_each_row(sum, views.front().batch.size());
  }

 private:
  double weight_;
};

}  // namespace

PartEntry<Regularise> regularise_weight_decay() {
  using namespace declare;
  PartEntry<Regularise> entry;
  entry.info = {
      "regularise",
      "weight_decay",
      "half the squared norm of all matrices of trunk and predictor, in the loss; set "
      "train.weight_decay = 0 beside it, which decays outside the loss",
      "weight·½ Σ |W|²",
      "Krogh and Hertz 1991; decoupled form: Loshchilov and Hutter 2019, arXiv 1711.05101",
      {real("weight", 1e-4, at_least(0), "weight")}};
  entry.make = [](const Options& options, const Setting&) {
    return std::make_shared<WeightDecay>(options.real("weight"));
  };
  return entry;
}

}  // namespace assay
