// Spatial-frequency octaves of an orthonormal two-dimensional cosine transform.
#include "assay/tensor/bands.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "assay/tensor/shape.h"

namespace assay {

namespace {

std::string frequency_text(int64_t octave, int64_t octaves) {
  // Lower edge of an octave; the last upper edge is the Nyquist frequency.
  return octave == 0 ? "0" : fmt::format("1/{}", int64_t{1} << (octaves - octave + 1));
}

}  // namespace

Tensor dct_matrix(int64_t n) {
  const Tensor matrix = at::empty({n, n}, at::kDouble);
  auto entry = matrix.accessor<double, 2>();
  const auto length = static_cast<double>(n);
  for (int64_t u = 0; u < n; ++u) {
    const double scale = std::sqrt((u == 0 ? 1.0 : 2.0) / length);
    for (int64_t i = 0; i < n; ++i)
      entry[u][i] = scale * std::cos(std::numbers::pi * (static_cast<double>(i) + 0.5) *
                                     static_cast<double>(u) / length);
  }
  return matrix;
}

BandSpectrum::BandSpectrum(int64_t size, int64_t octaves) : size_(size), flattened_(size <= 8) {
  // octave_of[u]: frequency u / (2S) against edges 2^(j - 1 - K), j = 1 … K - 1, in integers.
  std::vector<int64_t> octave_of(static_cast<size_t>(size), 0);
  for (int64_t u = 0; u < size; ++u)
    for (int64_t j = 1; j < octaves; ++j)
      if ((u << (octaves - j)) >= size) octave_of[static_cast<size_t>(u)] = j;

  std::vector<int64_t> lower, band_of(static_cast<size_t>(size));
  for (int64_t u = 0; u < size; ++u) {
    const int64_t octave = octave_of[static_cast<size_t>(u)];
    if (lower.empty() || lower.back() != octave) lower.push_back(octave);
    band_of[static_cast<size_t>(u)] = static_cast<int64_t>(lower.size()) - 1;
  }
  for (size_t band = 0; band < lower.size(); ++band) {
    const bool last = band + 1 == lower.size();
    names_.push_back(
        fmt::format("[{},{}", frequency_text(lower[band], octaves),
                    last ? "1/2]" : fmt::format("{})", frequency_text(lower[band + 1], octaves))));
  }

  counts_.assign(names_.size(), 0);
  exact_.membership = at::zeros({size * size, count()}, at::kDouble);
  for (int64_t u = 0; u < size; ++u)
    for (int64_t v = 0; v < size; ++v) {
      const int64_t band = band_of[static_cast<size_t>(std::max(u, v))];
      exact_.membership[u * size + v][band] = 1;
      counts_[static_cast<size_t>(band)] += 1;
    }
  const Tensor transposed = dct_matrix(size).t().contiguous();
  exact_.transform = flattened_ ? at::kron(transposed, transposed) : transposed;
}

const BandSpectrum::Constants& BandSpectrum::constants(const Tensor& like) const {
  if (!cached_.transform.defined() || cached_.transform.dtype() != like.dtype() ||
      cached_.transform.device() != like.device())
    cached_ = {exact_.transform.to(like.options()), exact_.membership.to(like.options())};
  return cached_;
}

Tensor BandSpectrum::energy(const Tensor& squares) const {
  check_shape(squares, {kAny, kAny, size_, size_}, "squares of a band energy");
  const int64_t batch = squares.size(0), repeats = squares.size(1);
  const auto& [transform, membership] = constants(squares);
  Tensor coefficients;
  if (flattened_) {
    coefficients = squares.reshape({batch * repeats, size_ * size_}).matmul(transform);
  } else {
    // Rows, then columns through a transposition: both products act on one tall matrix. What comes
    // out is the transpose of the transform, and square rings do not see that.
    const Tensor rows = squares.reshape({batch * repeats * size_, size_}).matmul(transform);
    coefficients = rows.view({batch * repeats, size_, size_})
                       .transpose(1, 2)
                       .reshape({batch * repeats * size_, size_})
                       .matmul(transform)
                       .view({batch * repeats, size_ * size_});
  }
  return coefficients.square().matmul(membership).view({batch, repeats, count()}).sum(1);
}

}  // namespace assay
