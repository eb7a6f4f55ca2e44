// metric cross_entropy: surprise at the true class or distribution, in nats.
#include "assay/objective/metric/token_sum.h"

namespace assay {

namespace {

class CrossEntropy : public Metric {
 public:
  CrossEntropy(double temperature, int64_t variables)
      : temperature_(temperature), variables_(variables) {}

  std::string unit() const override { return "nat"; }
  double targets_per_token() const override { return static_cast<double>(variables_); }
  NullForm null_form() const override {
    return {.kind = NullKind::frequencies,
            .parameter = temperature_,
            .variables = variables_,
            .nats = true};
  }

  BandLoss loss(const Tensor& prediction, const Tensor& target, const NoiseField&,
                const Tensor& token_weight) override {
    const int64_t batch = prediction.size(0), tokens = prediction.size(1);
    const Tensor logits = temperature_ == 1 ? prediction : prediction / temperature_;
    if (target.is_floating_point()) {
      const Tensor surprise = -(target.to(logits.dtype()) * logits.log_softmax(2)).sum(2);
      return token_sum(surprise, token_weight, 1);
    }
    const Tensor classes = target.reshape({batch, tokens, variables_});
    const Tensor surprise =
        at::cross_entropy_loss(logits.reshape({classes.numel(), logits.size(2) / variables_}),
                               classes.reshape(-1), {}, at::Reduction::None, kUnknown)
            .view({batch, tokens, variables_});
    BandLoss out = token_sum(surprise.sum(2), token_weight, 1);
    out.targets = (classes != kUnknown).sum({1, 2}).unsqueeze(1).to(surprise.dtype());
    return out;
  }

 private:
  static constexpr int64_t kUnknown = -1;  // carries no loss and counts as no target
  double temperature_;
  int64_t variables_;
};

}  // namespace

PartEntry<Metric> metric_cross_entropy() {
  using namespace declare;
  PartEntry<Metric> entry;
  entry.info = {"metric",
                "cross_entropy",
                "negative log-likelihood of the true class, or cross-entropy with a target "
                "distribution; summed "
                "over the variables of a token",
                "-log softmax(p/T)[y];  distributions: -Σ_k y_k log softmax(p/T)[k]",
                "",
                {real("temperature", 1.0, above(0), "T of the prediction; DINO's student has .1")}};
  entry.make = [](const Options& options, const Setting& setting) {
    return std::make_shared<CrossEntropy>(
        options.real("temperature"),
        std::max<int64_t>(1, static_cast<int64_t>(setting.target.classes.size())));
  };
  return entry;
}

}  // namespace assay
