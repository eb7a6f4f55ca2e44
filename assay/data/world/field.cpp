// Noise by inverse DCT of independent coefficients: two small dense products per channel.
#include "assay/data/world/field.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "assay/noise/noise.h"

// Clones per instruction set; without contraction to fused multiply-add all give the same bits.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define ASSAY_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define ASSAY_CLONES
#endif

namespace assay::world {
namespace {

/// Sixteen floats at once, in however many registers the machine needs. Left to itself the compiler
/// reloads the running sums in every step, eight times slower.
using Lanes = float __attribute__((vector_size(64), aligned(4), may_alias));
constexpr int lanes = 16;

int padded(int size) { return (size + lanes - 1) / lanes * lanes; }

/// out = left · right, all [size, size] row-major, size a multiple of 16. Each output is summed in
/// the order of the inner index, whatever the machine.
ASSAY_CLONES
void multiply(const float* __restrict left, const float* __restrict right, float* __restrict out,
              int size) {
  for (int row = 0; row < size; row += 4)
    for (int column = 0; column < size; column += lanes) {
      Lanes sum0{}, sum1{}, sum2{}, sum3{};
      const float* factor = left + row * size;
      for (int k = 0; k < size; ++k, ++factor) {
        const Lanes from = *reinterpret_cast<const Lanes*>(right + k * size + column);
        sum0 += factor[0] * from;
        sum1 += factor[size] * from;
        sum2 += factor[2 * size] * from;
        sum3 += factor[3 * size] * from;
      }
      float* to = out + row * size + column;
      *reinterpret_cast<Lanes*>(to) = sum0;
      *reinterpret_cast<Lanes*>(to + size) = sum1;
      *reinterpret_cast<Lanes*>(to + 2 * size) = sum2;
      *reinterpret_cast<Lanes*>(to + 3 * size) = sum3;
    }
}

std::vector<double> spectrum_of(int size, double field_variance, double white_variance) {
  std::vector<double> power;
  double sum = 0;
  for (int u = 0; u < size; ++u)
    for (int v = 0; v < size; ++v) {
      const double frequency = std::max(0.5, 0.5 * std::sqrt(u * u + v * v));
      power.push_back(1 / (frequency * frequency));
      sum += power.back();
    }
  const double gain = field_variance * size * size / sum;
  for (double& p : power) p = gain * p + white_variance;
  return power;
}

}  // namespace

std::vector<float> dct_matrix(int size) {
  std::vector<float> out;
  for (int k = 0; k < size; ++k)
    for (int n = 0; n < size; ++n)
      out.push_back(static_cast<float>(std::sqrt((k == 0 ? 1.0 : 2.0) / size) *
                                       std::cos(std::numbers::pi * (n + 0.5) * k / size)));
  return out;
}

NoiseField::NoiseField(int size, double field_variance, double white_variance)
    : size_(static_cast<size_t>(size)),
      padded_(static_cast<size_t>(padded(size))),
      spectrum_(spectrum_of(size, field_variance, white_variance)),
      dct_(padded_ * padded_, 0.0f),
      inverse_(padded_ * padded_, 0.0f) {
  for (const double p : spectrum_) deviation_.push_back(static_cast<float>(std::sqrt(p)));
  const std::vector<float> matrix = dct_matrix(size);
  for (size_t k = 0; k < size_; ++k)
    for (size_t n = 0; n < size_; ++n)
      dct_[k * padded_ + n] = inverse_[n * padded_ + k] = matrix[k * size_ + n];
}

void NoiseField::draw(Seed stream, int64_t index, int channels, std::span<float> out,
                      std::vector<float>& scratch) const {
  const size_t plane = size_ * size_, square = padded_ * padded_;
  const size_t drawn = plane * static_cast<size_t>(channels);
  scratch.assign(drawn + 2 * square, 0.0f);
  const std::span<float> numbers(scratch.data(), drawn);
  float *coefficients = scratch.data() + drawn, *half = coefficients + square;
  normals(stream, index, 0, numbers);
  const int size = static_cast<int>(padded_);
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    for (size_t u = 0; u < size_; ++u)
      for (size_t v = 0; v < size_; ++v)
        coefficients[u * padded_ + v] =
            deviation_[u * size_ + v] * numbers[c * plane + u * size_ + v];
    multiply(inverse_.data(), coefficients, half, size);  // over vertical frequencies
    // The columns beyond size stay zero: they meet zero columns of the DCT matrix.
    multiply(half, dct_.data(), coefficients, size);  // over horizontal ones
    for (size_t row = 0; row < size_; ++row)
      std::copy_n(coefficients + row * padded_, size_,
                  out.begin() + static_cast<std::ptrdiff_t>(c * plane + row * size_));
  }
}

}  // namespace assay::world
