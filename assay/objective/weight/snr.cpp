// weight snr: losses of different predictions made equal, or the signal-to-noise ratio cut off.
#include <fmt/format.h>

#include <limits>

#include "assay/objective/weight/level_weight.h"

namespace assay {

namespace {

// λ_x = SNR is the loss of ε-prediction (DDPM), λ_x = min(SNR, γ) min-SNR-γ.
class Snr : public LevelWeight {
 public:
  Snr(double gamma, const std::string& parametrisation)
      : LevelWeight(parametrisation), gamma_(gamma) {}
  Tensor of_x(const NoiseField& field) const override { return field.snr().clamp_max(gamma_); }

 private:
  double gamma_;
};

}  // namespace

PartEntry<Weight> weight_snr() {
  PartEntry<Weight> entry;
  entry.info = {
      "weight",
      "snr",
      "the loss of noise prediction, whatever is predicted",
      "λ·|x̂ - x|² with λ = SNR = α²/σ²; x: w = SNR, eps: w = 1, v: w = σ²·SNR",
      "Ho et al. 2020, arXiv 2006.11239; Salimans and Ho 2022, arXiv 2202.00512, section 4",
      {}};
  entry.make = [](const Options& options, const Setting& setting) {
    require_levels(options, setting);
    return std::make_shared<Snr>(std::numeric_limits<double>::infinity(),
                                 setting.target.parametrisation);
  };
  return entry;
}

PartEntry<Weight> weight_min_snr() {
  using namespace declare;
  PartEntry<Weight> entry;
  entry.info = {
      "weight",
      "min_snr",
      "min-SNR-γ: low noise levels do not count more than at SNR γ",
      "λ·|x̂ - x|² with λ = min(SNR, γ);  x: min(SNR, γ), eps: min(SNR, γ)/SNR, v: σ²·min(SNR, γ) = "
      "min(SNR, γ)/(SNR + 1) where α² + σ² = 1",
      "Hang et al. 2023, arXiv 2303.09556; lucidrains/denoising-diffusion-pytorch",
      {real("gamma", 5.0, above(0), "γ")}};
  entry.make = [](const Options& options, const Setting& setting) {
    require_levels(options, setting);
    return std::make_shared<Snr>(options.real("gamma"), setting.target.parametrisation);
  };
  return entry;
}

}  // namespace assay
