// metric cross_entropy: surprise at the true class, in nats.
#include "assay/objective/registry.h"

namespace assay {

namespace {

class CrossEntropy : public Metric {
 public:
  std::string unit() const override { return "nat"; }
  double targets_per_token() const override { return 1; }

  BandLoss loss(const Tensor& prediction, const Tensor& target, const NoiseField&) const override {
    const int64_t batch = prediction.size(0), tokens = prediction.size(1);
    const Tensor surprise =
        at::cross_entropy_loss(prediction.reshape({batch * tokens, prediction.size(2)}),
                               target.reshape(-1), {}, at::Reduction::None);
    return {surprise.view({batch, tokens}).sum(1, true),
            at::full({batch, 1}, static_cast<double>(tokens), prediction.options())};
  }
};

}  // namespace

PartEntry<Metric> metric_cross_entropy() {
  PartEntry<Metric> entry;
  entry.info = {"metric",
                "cross_entropy",
                "negative log-likelihood of the true class",
                "-log softmax(p)[y]",
                "",
                {}};
  entry.modality = Modality::text;
  entry.make = [](const Options&, const Setting&) { return std::make_shared<CrossEntropy>(); };
  return entry;
}

}  // namespace assay
