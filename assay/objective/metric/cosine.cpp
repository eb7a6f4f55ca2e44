// metric cosine: one minus the cosine between prediction and target.
#include "assay/objective/metric/token_sum.h"

namespace assay {

namespace {

class Cosine : public Metric {
 public:
  std::string unit() const override { return "1 - cosine"; }
  double targets_per_token() const override { return 1; }
  NullForm null_form() const override { return {.kind = NullKind::direction}; }
  BandLoss loss(const Tensor& prediction, const Tensor& target, const NoiseField&,
                const Tensor& token_weight) override {
    return token_sum(1 - at::cosine_similarity(prediction, target, 2, 1e-8), token_weight, 1);
  }
};

}  // namespace

PartEntry<Metric> metric_cosine() {
  PartEntry<Metric> entry;
  entry.info = {
      "metric",
      "cosine",
      "one minus the cosine, so that 0 is best; published losses are the negative cosine",
      "1 - p·y/(|p||y|)",
      "SihanXU/nepa modeling_vit_nepa.py; Grill et al. 2020, arXiv 2006.07733 (half of it)",
      {}};
  entry.make = [](const Options&, const Setting&) { return std::make_shared<Cosine>(); };
  return entry;
}

}  // namespace assay
