// Weights that are functions of the noise level.
#pragma once

#include "assay/objective/registry.h"

namespace assay {

/// Turns a weight λ of |x̂ - x|² into one of whatever is predicted: |ε̂ - ε|² = SNR·|x̂ - x|², and
/// |v̂ - v|² = |x̂ - x|²/σ² on either path.
class LevelWeight : public Weight {
 public:
  explicit LevelWeight(std::string parametrisation)
      : parametrisation_(std::move(parametrisation)) {}
  /// λ. [B]
  virtual Tensor of_x(const NoiseField& field) const = 0;
  BandLoss at_level(const BandLoss& loss, const NoiseField& field) override;

 private:
  std::string parametrisation_;
};

/// Throws Error config.loss_space unless the term has one noise level per example and predicts
/// pixels.
void require_levels(const Options& options, const Setting& setting);

}  // namespace assay
