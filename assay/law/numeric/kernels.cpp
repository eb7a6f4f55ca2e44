// One body for several instruction sets, in lanes of eight doubles.
#include "assay/law/numeric/kernels.h"

#include <bit>
#include <cstdint>

#include "assay/stats/lanes.h"

namespace assay {
namespace {

using Doubles = double __attribute__((vector_size(64), aligned(8), may_alias));
using Words = uint64_t __attribute__((vector_size(64), aligned(8), may_alias));

constexpr double kShifter = 6755399441055744.0;  // 1.5·2^52: adding it rounds to a whole number
constexpr uint64_t kShifterBits = std::bit_cast<uint64_t>(kShifter);

#define ASSAY_INLINE inline __attribute__((always_inline))

ASSAY_INLINE double sum_lanes(const Doubles& lanes) {
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

ASSAY_INLINE void load(Doubles& out, const double* from) {
  out = *reinterpret_cast<const Doubles*>(from);
}
ASSAY_INLINE void store(double* to, const Doubles& lanes) {
  *reinterpret_cast<Doubles*>(to) = lanes;
}

// exp x = 2^k exp r with |r| <= ln 2 / 2, and the Taylor series of degree 13 (remainder 4e-18).
ASSAY_INLINE void exp_lanes(Doubles& x) {
  constexpr double kHigh = 6.93147180369123816490e-01, kLow = 1.90821492927058770002e-10;
  constexpr double kInverse = 1.44269504088896340736;
  x = x < -700.0 ? Doubles{} - 700.0 : x;
  x = x > 700.0 ? Doubles{} + 700.0 : x;
  const Doubles shifted = x * kInverse + kShifter;
  const Doubles whole = shifted - kShifter;
  const Doubles r = (x - whole * kHigh) - whole * kLow;
  Doubles p = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r * r + r + 1.0;
  x = reinterpret_cast<Doubles>(reinterpret_cast<Words>(p) +
                                (reinterpret_cast<Words>(shifted) << 52));
}

// log x = k ln 2 + log(1 + f), 1 + f in [√½, √2), with the rational approximation of fdlibm's
// log().
ASSAY_INLINE void log_lanes(Doubles& x) {
  constexpr uint64_t kHalfRoot = 0x3fe6a09e667f3bcdULL, kOne = 0x3ff0000000000000ULL;
  constexpr double kHigh = 6.93147180369123816490e-01, kLow = 1.90821492927058770002e-10;
  const Words bits = reinterpret_cast<Words>(x);
  const Words exponent = ((bits + (kOne - kHalfRoot)) >> 52) - 1023;
  const Doubles k = reinterpret_cast<Doubles>(exponent + kShifterBits) - kShifter;
  const Doubles f = reinterpret_cast<Doubles>(bits - (exponent << 52)) - 1.0;
  const Doubles s = f / (f + 2.0), z = s * s;
  Doubles r = z * 1.479819860511658591e-01 + 1.531383769920937332e-01;
  r = r * z + 1.818357216161805012e-01;
  r = r * z + 2.222219843214978396e-01;
  r = r * z + 2.857142874366239149e-01;
  r = r * z + 3.999999999940941908e-01;
  r = r * z + 6.666666666666735130e-01;
  r = r * z;
  const Doubles half = 0.5 * f * f;
  x = k * kHigh - ((half - (s * (half + r) + k * kLow)) - f);
}

// T basis functions, known when compiled so that the sums stay in registers.
template <std::size_t T>
ASSAY_INLINE void accumulate(const double* const* basis, const double* weight, const double* target,
                             std::size_t n, double* gram, double* right) {
  Doubles products[T * (T + 1) / 2] = {}, sides[T] = {};
  for (std::size_t i = 0; i < n; i += kLawLanes) {
    Doubles w, y, row[T];
    load(w, weight + i);
    load(y, target + i);
    for (std::size_t a = 0, k = 0; a < T; ++a) {
      load(row[a], basis[a] + i);
      const Doubles scaled = w * row[a];
      sides[a] += scaled * y;
      for (std::size_t b = 0; b <= a; ++b, ++k) products[k] += scaled * row[b];
    }
  }
  for (std::size_t a = 0, k = 0; a < T; ++a) {
    right[a] = sum_lanes(sides[a]);
    for (std::size_t b = 0; b <= a; ++b, ++k) {
      gram[a * T + b] = gram[b * T + a] = sum_lanes(products[k]);
    }
  }
}

template <std::size_t T>
ASSAY_INLINE double ratio_terms(const double* const* columns, const double* coefficients,
                                const double* weight, const double* highest, std::size_t n,
                                double delta) {
  Doubles sum = {};
  for (std::size_t i = 0; i < n; i += kLawLanes) {
    Doubles q = {}, w, most;
    for (std::size_t k = 0; k < T; ++k) {
      Doubles column;
      load(column, columns[k] + i);
      q += coefficients[k] * column;
    }
    load(w, weight + i);
    load(most, highest + i);
    Doubles r = 2.0 * (1.0 - q) / (1.0 + q);
    r = r > most ? most : r;
    Doubles clipped = r > delta ? Doubles{} + delta : r;
    clipped = clipped < -delta ? Doubles{} - delta : clipped;
    sum += w * clipped * (r - 0.5 * clipped);
  }
  return sum_lanes(sum);
}

}  // namespace

ASSAY_STATS_CLONES void exp_affine(double offset, double slope, const double* x, double* out,
                                   std::size_t n) {
  for (std::size_t i = 0; i < n; i += kLawLanes) {
    Doubles lanes;
    load(lanes, x + i);
    lanes = lanes * slope + offset;
    exp_lanes(lanes);
    store(out + i, lanes);
  }
}

ASSAY_STATS_CLONES void log_each(const double* x, double* out, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kLawLanes) {
    Doubles lanes;
    load(lanes, x + i);
    log_lanes(lanes);
    store(out + i, lanes);
  }
}

ASSAY_STATS_CLONES double dot(const double* a, const double* b, std::size_t n) {
  Doubles sum = {};
  for (std::size_t i = 0; i < n; i += kLawLanes) {
    Doubles x, y;
    load(x, a + i);
    load(y, b + i);
    sum += x * y;
  }
  return sum_lanes(sum);
}

ASSAY_STATS_CLONES double weighted_dot(const double* weight, const double* a, const double* b,
                                       std::size_t n) {
  Doubles sum = {};
  for (std::size_t i = 0; i < n; i += kLawLanes) {
    Doubles w, x, y;
    load(w, weight + i);
    load(x, a + i);
    load(y, b + i);
    sum += w * x * y;
  }
  return sum_lanes(sum);
}

ASSAY_STATS_CLONES double robust_sum(const ResidualPass& pass, double delta) {
  Doubles sum = {};
  for (std::size_t i = 0; i < pass.n; i += kLawLanes) {
    Doubles value, target, weight, highest;
    load(value, pass.value + i);
    load(target, pass.log_loss + i);
    load(weight, pass.weight + i);
    load(highest, pass.highest + i);
    Doubles predicted = value;
    log_lanes(predicted);
    Doubles r = target - predicted;
    r = r > highest ? highest : r;
    Doubles clipped = r > delta ? Doubles{} + delta : r;
    clipped = clipped < -delta ? Doubles{} - delta : clipped;
    sum += weight * clipped * (r - 0.5 * clipped);
    store(pass.residual + i, r);
    store(pass.influence + i, weight * clipped / value);
  }
  return sum_lanes(sum);
}

ASSAY_STATS_CLONES double ratio_sum(const double* const* columns, const double* coefficients,
                                    std::size_t terms, const double* weight, const double* highest,
                                    std::size_t n, double delta) {
  if (terms == 1) return ratio_terms<1>(columns, coefficients, weight, highest, n, delta);
  if (terms == 2) return ratio_terms<2>(columns, coefficients, weight, highest, n, delta);
  return ratio_terms<3>(columns, coefficients, weight, highest, n, delta);
}

ASSAY_STATS_CLONES void normal_equations(const double* const* basis, std::size_t terms,
                                         const double* weight, const double* target, std::size_t n,
                                         double* gram, double* right) {
  if (terms == 1) accumulate<1>(basis, weight, target, n, gram, right);
  if (terms == 2) accumulate<2>(basis, weight, target, n, gram, right);
  if (terms == 3) accumulate<3>(basis, weight, target, n, gram, right);
}

}  // namespace assay
