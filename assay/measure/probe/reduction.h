// Rows of any width to rows of one common width, fitted once and then frozen.
#pragma once

#include "assay/core/seed.h"
#include "assay/tensor/torch.h"

namespace assay::probe {

/// How features are scaled: each to variance 1 (units of a network mean nothing), or all by one
/// number (pixels and bytes share a unit, and a byte that hardly ever occurs must not weigh like a
/// common one).
enum class Scaling { each, common };

/// Features to mean 0 and variance 1, then the leading principal components when there are more
/// than `dimension`, divided by one common number so that their mean variance is 1. Principal
/// components rather than a random projection: at equal width they keep the most variance, and no
/// luck of a matrix stands between two objectives; what they lose is the tail of the spectrum.
/// Not whitened: directions of small variance stay small, so that the ridge of a readout means the
/// same with and without reduction.
class Reduction {
 public:
  /// rows [n, D] float32, of training examples only. Randomised subspace iteration (Halko,
  /// Martinsson and Tropp 2011, algorithm 4.4) from a start fixed by `seed`.
  Reduction(const Tensor& rows, int64_t dimension, Scaling scaling, Seed seed);

  /// [..., D] to [..., min(D, dimension)] float32, contiguous.
  Tensor apply(const Tensor& rows) const;
  int64_t width() const { return shift_.numel(); }

 private:
  Tensor matrix_;  // [D, d]; undefined = only standardised
  Tensor scale_;   // [D] 1/sd, 0 for a feature that does not vary; with a matrix it is inside it
  Tensor shift_;   // [d] taken away afterwards (with a matrix), or the mean [D] before scaling
};

}  // namespace assay::probe
