// Spatial-frequency octaves of an orthonormal two-dimensional transform.
#pragma once

#include "assay/tensor/torch.h"

namespace assay {

/// Orthonormal DCT-II of length n: float64 [n, n], row u holds frequency u / (2n) cycles per pixel.
/// Ahmed, Natarajan and Rao, "Discrete cosine transform" (1974).
Tensor dct_matrix(int64_t n);

/// Orthonormal Haar basis of length n, a power of two: float64 [n, n]; row 0 is the mean, rows
/// 2^(j-1) … 2^j - 1 are the differences at level j, of length n / 2^(j-1). Haar, "Zur Theorie der
/// orthogonalen Funktionensysteme" (1910).
Tensor haar_matrix(int64_t n);

/// Energy by octave. The edges are the same for all objectives, in cycles per pixel: with K bands
/// [0, 2^-K) [2^-K, 2^(1-K)) … [1/4, 1/2]; K = 4 gives 1/16, 1/8, 1/4. A coefficient (u, v) belongs
/// to the octave of max(u, v): square rings.
///
/// A small square has no coefficient in some octaves: a patch of 4 has frequencies 0, 1/8, 1/4,
/// 3/8. Such an octave is left out, and the one below it takes over its range, since the patch's
/// mean holds all that is slower: with K = 4 its bands are [0,1/8) [1/8,1/4) [1/4,1/2], and band 0
/// of a patch loss is not band 0 of an image loss. The names say which range a band covers.
class BandSpectrum {
 public:
  enum class Basis { cosine, haar };
  /// size: side of the square that is transformed (image or patch); octaves K >= 1. haar: the
  /// orthonormal tensor Haar basis, where band 0 spans the images that are constant on blocks of
  /// 2^(K-1) pixels and each further band one halving of the blocks; size must be a multiple of
  /// 2^(K-1) and a power of two, else Error config.bands.
  BandSpectrum(int64_t size, int64_t octaves, Basis basis = Basis::cosine);

  int64_t size() const { return size_; }
  int64_t count() const { return static_cast<int64_t>(names_.size()); }
  const std::vector<std::string>& names() const { return names_; }     // lowest first
  const std::vector<double>& coefficients() const { return counts_; }  // per band, of one square

  /// squares [B, R, S, S] to [B, count]: squared coefficients summed over R and each band. Their
  /// sum over bands is the squared norm of row b (Parseval).
  Tensor energy(const Tensor& squares) const;
  /// Images [B, C, S, S] with each band times gain [B, count].
  Tensor filter(const Tensor& images, const Tensor& gain) const;

 private:
  struct Constants {
    Tensor
        transform;  // [S, S], transposed DCT matrix; or [S², S²] acting on flattened small squares
    Tensor membership;  // [S², count], one 1 per row
    Tensor matrix;      // [S, S], row u is frequency u
  };
  const Constants& constants(const Tensor& like) const;
  int64_t size_;
  bool flattened_;  // one product with the Kronecker square: faster than many tiny products
  std::vector<std::string> names_;
  std::vector<double> counts_;
  Constants exact_;           // float64 on the CPU
  mutable Constants cached_;  // in the last asked dtype and device
};

}  // namespace assay
