// regularise vicreg: every number varies, and no two vary together.
#include "assay/objective/regularise/tap_option.h"
#include "assay/tensor/flops.h"

namespace assay {

namespace {

constexpr double kVarianceEpsilon = 1e-4;

class Vicreg : public Regularise {
 public:
  Vicreg(double variance, double covariance, bool official, Tap tap, int64_t width)
      : variance_(variance),
        covariance_(covariance),
        official_(official),
        tap_(tap),
        width_(width) {}

  std::vector<std::string> components() const override { return {"variance", "covariance"}; }
  std::vector<double> weights(double) const override { return {variance_, covariance_}; }

  Tensor loss(const std::vector<View>& views, const Draw&,
              const std::vector<Tensor>&) const override {
    Tensor hinge, square;
    const std::vector<Tensor> all = tapped(views, tap_);
    for (const Tensor& z : all) {
      const Tensor centred = z - z.mean(0, true);
      const Tensor covariance =
          centred.t().matmul(centred) / static_cast<double>(std::max<int64_t>(1, z.size(0) - 1));
      const Tensor variance = covariance.diagonal();
      const Tensor own_hinge = at::relu(1 - (variance + kVarianceEpsilon).sqrt()).mean();
      const Tensor own_square = covariance.square().sum() - variance.square().sum();
      hinge = hinge.defined() ? hinge + own_hinge : own_hinge;
      square = square.defined() ? square + own_square : own_square;
    }
    const auto count = static_cast<double>(all.size());
    const auto width = static_cast<double>(all.front().size(1));
    const int64_t batch = all.front().size(0);
    if (official_)
      return at::cat({for_each_row(hinge / count, batch), for_each_row(square / width, batch)}, 1);
    return at::cat({for_each_row(hinge, batch),
                    for_each_row(square / (width * std::max(1.0, width - 1)), batch)},
                   1);
  }
  double flops(int64_t views) const override {
    return linear_flops(static_cast<double>(width_), static_cast<double>(width_),
                        static_cast<double>(views));
  }

 private:
  double variance_, covariance_;
  bool official_;
  Tap tap_;
  int64_t width_;
};

}  // namespace

PartEntry<Regularise> regularise_vicreg() {
  using namespace declare;
  PartEntry<Regularise> entry;
  entry.info = {
      "regularise",
      "vicreg",
      "hinge on the deviation of every number over the batch, and squared covariances between "
      "numbers",
      "official: variance·mean_v mean_d max(0, 1 - √(var_d + 1e-4)) + covariance·Σ_v Σ_{i≠j} "
      "C_ij²/D;  "
      "mean: variance·Σ_v mean_d … + covariance·Σ_v mean_{i≠j} C_ij²;  at two views mean (v, c) "
      "equals "
      "official (2v, c/(D - 1))",
      "Bardes et al. 2022, arXiv 2105.04906; facebookresearch/vicreg main_vicreg.py; mean: "
      "facebookresearch/eb_jepa losses.py",
      {real("variance", 25.0, at_least(0), "weight of the hinge"),
       real("covariance", 1.0, at_least(0), "weight of the covariances"),
       choice("normalisation", "official", {"official", "mean"}, "which published normalisation"),
       tap_option()}};
  entry.make = [](const Options& options, const Setting& setting) {
    const Tap tap = tap_of(options);
    return std::make_shared<Vicreg>(
        options.real("variance"), options.real("covariance"),
        options.text("normalisation") == "official", tap,
        tap == Tap::prediction ? setting.target.outputs : setting.model.width);
  };
  return entry;
}

}  // namespace assay
