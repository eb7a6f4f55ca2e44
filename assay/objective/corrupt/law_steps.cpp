// law steps: the levels of a discretised variational bound.
#include <fmt/format.h>

#include <cmath>

#include "assay/objective/registry.h"

namespace assay {

namespace {

// Knots t_i = i/K, i = 0 … K; examples are drawn at knots 1 … K, each with probability 1/K.
class Steps : public LevelLaw {
 public:
  Steps(int64_t steps, double highest, double lowest)
      : steps_(static_cast<double>(steps)), highest_(highest), lowest_(lowest) {}

  // s = σ/(α + σ) = 1/(1 + exp(λ/2)) at the log-SNR λ.
  Tensor quantile(const Tensor& uniform) const override {
    return at::sigmoid(log_snr(knot(uniform)) / -2);
  }
  Tensor bound(const Tensor& uniform) const override {
    const Tensor at_knot = knot(uniform);
    return steps_ / 2 * (log_snr(at_knot - 1).exp() - log_snr(at_knot).exp());
  }

 private:
  Tensor knot(const Tensor& uniform) const {
    return (uniform * steps_).floor().clamp_max(steps_ - 1) + 1;
  }
  Tensor log_snr(const Tensor& knots) const {
    return highest_ + (lowest_ - highest_) / steps_ * knots;
  }

  double steps_, highest_, lowest_;
};

}  // namespace

PartEntry<LevelLaw> law_steps() {
  using namespace declare;
  PartEntry<LevelLaw> entry;
  entry.info = {
      "law",
      "steps",
      "K levels of equal probability, log-SNR linear in i/K; brings the weights of the variational "
      "bound. K = 1 predicts the image in one shot from almost pure noise",
      "λ_i = highest + (lowest - highest)·i/K,  i uniform on 1 … K,  s_i = 1/(1 + e^(λ_i/2)),  "
      "bound "
      "weight K/2·(SNR_(i-1) - SNR_i)",
      "Kingma et al. 2021, arXiv 2107.00630 (VDM), eq. 11 to 13",
      {integer("steps", 16, closed(1, 100000), "K"),
       real("highest", 7, closed(-20, 20), "log-SNR λ_0 of what the bound starts from"),
       real("lowest", -7, closed(-20, 20), "log-SNR λ_K of the noisiest level")}};
  entry.make = [](const Options& options, const Setting&) {
    if (options.real("lowest") >= options.real("highest"))
      throw options.error("lowest", "config.range",
                          fmt::format("`lowest` {} is not below `highest` {}",
                                      options.real("lowest"), options.real("highest")),
                          "log-SNR falls along the steps");
    return std::make_shared<Steps>(options.integer("steps"), options.real("highest"),
                                   options.real("lowest"));
  };
  return entry;
}

}  // namespace assay
