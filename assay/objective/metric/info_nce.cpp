// metric info_nce: find the other view of an example among those of the batch.
#include <limits>

#include "assay/objective/registry.h"

namespace assay {

namespace {

constexpr double kNormEpsilon = 1e-8;

Tensor unit_rows(const Tensor& x) { return x / x.norm(2, 1, true).clamp_min(kNormEpsilon); }

class InfoNce : public Metric {
 public:
  InfoNce(double temperature, bool both) : temperature_(temperature), both_(both) {}

  std::string unit() const override { return "nat"; }
  double targets_per_token() const override { return 1; }
  NullForm null_form() const override { return {.kind = NullKind::uniform, .nats = true}; }
  bool coupled() const override { return true; }
  bool contrasts() const override { return true; }

  BandLoss loss(const Tensor& prediction, const Tensor& target, const NoiseField&,
                const Tensor&) override {
    const Tensor z = unit_rows(prediction.squeeze(1)), other = unit_rows(target.squeeze(1));
    const int64_t batch = z.size(0);
    Tensor logits = z.matmul(other.t());
    if (both_) {
      const Tensor itself = at::eye(batch, z.options().dtype(at::kBool));
      const Tensor own =
          z.matmul(z.t()).masked_fill(itself, -std::numeric_limits<float>::infinity());
      logits = at::cat({logits, own}, 1);
    }
    const Tensor positive = at::arange(batch, z.options().dtype(at::kLong));
    const Tensor surprise =
        at::cross_entropy_loss(logits / temperature_, positive, {}, at::Reduction::None)
            .unsqueeze(1);
    return {surprise, at::ones_like(surprise).detach()};
  }

 private:
  double temperature_;
  bool both_;
};

}  // namespace

PartEntry<Metric> metric_info_nce() {
  using namespace declare;
  PartEntry<Metric> entry;
  entry.info = {"metric",
                "info_nce",
                "cross-entropy of picking the matching view among the batch, by cosine similarity",
                "-log e^(s_ii/T) / Σ_j e^(s_ij/T);  both: j over the other view's and the own "
                "view's examples "
                "(2B - 1 candidates);  other: over the other view's only (B)",
                "both: Chen et al. 2020, arXiv 2002.05709 (SimCLR NT-Xent), vturrisi/solo-learn; "
                "other: van den "
                "Oord et al. 2018, arXiv 1807.03748, MoCo v3 without its factor 2T",
                {real("temperature", 0.2, above(0), "T"),
                 choice("negatives", "both", {"both", "other"}, "whose examples are candidates")}};
  entry.make = [](const Options& options, const Setting&) {
    return std::make_shared<InfoNce>(options.real("temperature"),
                                     options.text("negatives") == "both");
  };
  return entry;
}

}  // namespace assay
