// The Gaussian 1/f² field plus white noise of the World, with a spectrum known exactly.
#pragma once

#include <span>
#include <vector>

#include "assay/core/seed.h"

namespace assay::world {

/// Orthonormal DCT-II matrix [size, size]: row k is the basis function of frequency k. The same
/// transform as the bands of a loss, so that frequency bands of the noise are exactly independent.
std::vector<float> dct_matrix(int size);

/// Noise with independent DCT coefficients of variance
///   field_variance · P(u, v) + white_variance,   P(u, v) ∝ 1 / max(f, ½)²,   f = ½·√(u² + v²)
/// cycles per image, mean of P over the size² coefficients = 1: the mean variance of a pixel is
/// field_variance + white_variance. Field and white noise are drawn as one: the sum of independent
/// Gaussian coefficients is one Gaussian coefficient. Reflecting borders make pixels near them vary
/// more than in the middle. Channels are independent.
class NoiseField {
 public:
  NoiseField(int size, double field_variance, double white_variance);

  /// Variance of each coefficient. [size, size], rows = vertical frequency u.
  const std::vector<double>& spectrum() const { return spectrum_; }

  /// Noise of one example, a function of (stream, index). out [channels, size, size]; scratch is
  /// resized as needed and may be reused.
  void draw(Seed stream, int64_t index, int channels, std::span<float> out,
            std::vector<float>& scratch) const;

 private:
  size_t size_, padded_;  // padded to a multiple of 16 with zeros
  std::vector<double> spectrum_;
  std::vector<float> deviation_;  // √spectrum
  std::vector<float> dct_;        // [frequency, position], padded
  std::vector<float> inverse_;    // [position, frequency], padded
};

}  // namespace assay::world
