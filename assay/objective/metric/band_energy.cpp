// Squared errors of pixels by spatial-frequency band.
#include "assay/objective/metric/band_energy.h"

#include "assay/tensor/flops.h"
#include "assay/tensor/patches.h"

namespace assay {

BandEnergy::BandEnergy(const Setting& setting)
    : patch_(setting.model.patch),
      channels_(setting.data.channels),
      whole_(setting.target.tokens == Tokens::all),
      targets_per_token_(static_cast<double>(setting.target.outputs)),
      spectrum_(setting.spectrum) {
  if (!setting.target.pixels) spectrum_ = nullptr;
  if (setting.target.pixels && !spectrum_ && setting.bands > 1) {
    const int64_t size = whole_ ? setting.data.image_size : patch_;
    spectrum_ = std::make_shared<BandSpectrum>(size, setting.bands);
    if (spectrum_->count() == 1) spectrum_ = nullptr;
  }
}

std::vector<std::string> BandEnergy::names() const {
  return spectrum_ ? spectrum_->names() : std::vector<std::string>{};
}

double BandEnergy::flops_per_token() const {
  if (!spectrum_) return 0;
  const auto side = static_cast<double>(spectrum_->size()), patch = static_cast<double>(patch_);
  const double membership = static_cast<double>(count());
  // Per number: small squares by one product with side², others by two products with side.
  return 2 * targets_per_token_ * ((side > 8 ? 2 * side : side * side) + membership) *
         (whole_ ? 1 : patch * patch / (side * side));
}

BandLoss BandEnergy::squares(const Tensor& error, const NoiseField& field) const {
  const int64_t batch = error.size(0);
  if (!spectrum_) {
    const Tensor sum = error.square().sum({1, 2}).unsqueeze(1);
    return {sum,
            at::full_like(sum, targets_per_token_ * static_cast<double>(error.size(1))).detach()};
  }
  const Tensor squares = whole_ ? unpatchify(error, patch_, channels_)
                                : error.reshape({batch, error.size(1) * channels_, patch_, patch_});
  const auto repeats = static_cast<double>(squares.size(1));
  BandLoss out{spectrum_->energy(squares),
               (at::tensor(spectrum_->coefficients(), at::kDouble) * repeats)
                   .to(error.options())
                   .expand({batch, -1})};
  if (!field.band_loss.defined()) return out;
  return {out.loss * field.band_loss, out.targets * field.band_loss};
}

}  // namespace assay
