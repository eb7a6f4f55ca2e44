// metric smooth_l1: squared near zero, absolute beyond beta.
#include "assay/objective/metric/token_sum.h"

namespace assay {

namespace {

class SmoothL1 : public Metric {
 public:
  SmoothL1(double beta, int64_t outputs) : beta_(beta), outputs_(static_cast<double>(outputs)) {}

  std::string unit() const override { return "smooth L1"; }
  double targets_per_token() const override { return outputs_; }
  NullForm null_form() const override { return {.kind = NullKind::huber, .parameter = beta_}; }
  BandLoss loss(const Tensor& prediction, const Tensor& target, const NoiseField&,
                const Tensor& token_weight) override {
    const Tensor loss = at::smooth_l1_loss(prediction, target, at::Reduction::None, beta_);
    return token_sum(loss.sum(2), token_weight, outputs_);
  }

 private:
  double beta_, outputs_;
};

}  // namespace

PartEntry<Metric> metric_smooth_l1() {
  using namespace declare;
  PartEntry<Metric> entry;
  entry.info = {"metric",
                "smooth_l1",
                "Huber loss over beta, summed over the numbers of a token",
                "|d| < β: d²/(2β);  else |d| - β/2",
                "torch smooth_l1_loss; β = 1 in I-JEPA, 2 in data2vec",
                {real("beta", 1.0, above(0), "where the square ends")}};
  entry.make = [](const Options& options, const Setting& setting) {
    return std::make_shared<SmoothL1>(options.real("beta"), setting.target.outputs);
  };
  return entry;
}

}  // namespace assay
