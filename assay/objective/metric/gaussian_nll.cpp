// metric gaussian_nll: negative log-likelihood under a Gaussian with learned variance, in nats.
#include <cmath>
#include <numbers>

#include "assay/objective/metric/band_energy.h"

namespace assay {

namespace {

// The transform is orthonormal, so a density of coefficients is a density of pixels.
class GaussianNll : public Metric {
 public:
  GaussianNll(const Setting& setting, bool by_band) : bands_(setting) {
    log_variance_ =
        register_parameter("log_variance", at::zeros({by_band ? bands_.count() : int64_t{1}}));
  }

  std::string unit() const override { return "nat"; }
  double targets_per_token() const override { return bands_.targets_per_token(); }
  NullForm null_form() const override { return {.nats = true, .variances = log_variance_.numel()}; }
  double flops_per_token() const override { return bands_.flops_per_token(); }
  std::vector<std::string> bands() const override { return bands_.names(); }

  BandLoss loss(const Tensor& prediction, const Tensor& target, const NoiseField& field,
                const Tensor& token_weight) override {
    return loss_under(log_variance_, prediction, target, field, token_weight);
  }

  BandLoss loss_under(const Tensor& log_variance, const Tensor& prediction, const Tensor& target,
                      const NoiseField& field, const Tensor& token_weight) override {
    Tensor error = prediction - target;
    if (token_weight.defined()) error = error * token_weight.sqrt().unsqueeze(2);
    const BandLoss squares = bands_.squares(error, field);
    const Tensor constant = log_variance + std::log(2 * std::numbers::pi);
    return {(squares.loss * (-log_variance).exp() + squares.targets * constant) / 2,
            squares.targets};
  }

 private:
  BandEnergy bands_;
  Tensor log_variance_;  // [1 or K]
};

}  // namespace

PartEntry<Metric> metric_gaussian_nll() {
  using namespace declare;
  PartEntry<Metric> entry;
  entry.info = {
      "metric",
      "gaussian_nll",
      "surprise under a Gaussian around the prediction whose variance is learned: one for all "
      "numbers, "
      "or one per band. A variance fixed at 1 would silently mean β of about 1/σ² in a VAE",
      "|p - y|²/(2σ²) + n·ln(2πσ²)/2,  σ² = e^λ, λ trained",
      "Rybkin et al. 2021, arXiv 2006.13202 (σ-VAE)",
      {choice("variance", "shared", {"shared", "band"}, "what has a variance of its own")}};
  entry.make = [](const Options& options, const Setting& setting) {
    return std::make_shared<GaussianNll>(setting, options.text("variance") == "band");
  };
  return entry;
}

}  // namespace assay
