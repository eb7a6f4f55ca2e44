// Spatial-frequency octaves of an orthonormal two-dimensional transform.
#include "assay/tensor/bands.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "assay/core/error.h"
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

Tensor haar_matrix(int64_t n) {
  const Tensor matrix = at::zeros({n, n}, at::kDouble);
  auto entry = matrix.accessor<double, 2>();
  const auto length = static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) entry[0][i] = 1 / std::sqrt(length);
  for (int64_t first = 1; first < n; first *= 2) {  // rows first … 2·first - 1: one level
    const int64_t support = n / first;
    const double scale = std::sqrt(static_cast<double>(first) / length);
    for (int64_t row = first; row < 2 * first; ++row)
      for (int64_t i = 0; i < support; ++i)
        entry[row][(row - first) * support + i] = i < support / 2 ? scale : -scale;
  }
  return matrix;
}

BandSpectrum::BandSpectrum(int64_t size, int64_t octaves, Basis basis)
    : size_(size), flattened_(size <= 8) {
  if (basis == Basis::haar &&
      ((size & (size - 1)) != 0 || size % (int64_t{1} << (octaves - 1)) != 0))
    throw Error("config.bands",
                fmt::format("a Haar transform in {} octaves does not suit images of side {}",
                            octaves, size),
                "the side must be a power of two and a multiple of 2^(octaves - 1); or choose the "
                "cosine basis");
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
  // A Haar row 2^(j-1) … 2^j - 1 is a level, so octaves of the row index are octaves of scale.
  exact_.matrix = basis == Basis::haar ? haar_matrix(size) : dct_matrix(size);
  const Tensor transposed = exact_.matrix.t().contiguous();
  exact_.transform = flattened_ ? at::kron(transposed, transposed) : transposed;
}

const BandSpectrum::Constants& BandSpectrum::constants(const Tensor& like) const {
  if (!cached_.transform.defined() || cached_.transform.dtype() != like.dtype() ||
      cached_.transform.device() != like.device())
    cached_ = {exact_.transform.to(like.options()), exact_.membership.to(like.options()),
               exact_.matrix.to(like.options())};
  return cached_;
}

Tensor BandSpectrum::energy(const Tensor& squares) const {
  check_shape(squares, {kAny, kAny, size_, size_}, "squares of a band energy");
  const int64_t batch = squares.size(0), repeats = squares.size(1);
  const auto& [transform, membership, matrix] = constants(squares);
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

Tensor BandSpectrum::filter(const Tensor& images, const Tensor& gain) const {
  check_shape(images, {kAny, kAny, size_, size_}, "images of a band filter");
  check_shape(gain, {images.size(0), count()}, "gain by band");
  const auto& [transform, membership, matrix] = constants(images);
  const Tensor gains = gain.matmul(membership.t()).view({-1, 1, size_, size_});
  return matrix.t().matmul(matrix.matmul(images).matmul(matrix.t()) * gains).matmul(matrix);
}

}  // namespace assay
