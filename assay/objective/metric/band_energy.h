// Squared errors of pixels by spatial-frequency band.
#pragma once

#include "assay/objective/registry.h"

namespace assay {

/// What metrics of pixels share: the transform, and which coefficients count.
class BandEnergy {
 public:
  /// Where only some tokens carry loss, the transform is per patch: the zeros of other patches
  /// would leak into the bands of a whole image. resolved: false = one band, for errors that are no
  /// pixels.
  explicit BandEnergy(const Setting& setting);

  int64_t count() const { return spectrum_ ? spectrum_->count() : 1; }
  std::vector<std::string> names() const;
  double targets_per_token() const { return targets_per_token_; }
  double flops_per_token() const;

  /// error [B, n, P] to sums of squares by band and how many numbers they cover, each [B, K]; times
  /// field.band_loss where a staircase over bands says so.
  BandLoss squares(const Tensor& error, const NoiseField& field) const;

 private:
  int64_t patch_, channels_;
  bool whole_;
  double targets_per_token_;
  std::shared_ptr<const BandSpectrum> spectrum_;  // null = not resolved
};

}  // namespace assay
