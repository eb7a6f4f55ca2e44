// Box–Muller with polynomials of our own, written so that a loop over it vectorises.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace assay::detail {

// Every operation below is one IEEE operation that all instruction sets round alike (the folder is
// compiled without contraction to fused multiply-add), hence the same bits everywhere.

/// ln x for normal x in (0, 1]: Cephes logf, error below 2 ulp.
inline float natural_log(float x) {
  const uint32_t pattern = std::bit_cast<uint32_t>(x);
  // Mantissa into [√½, √2): subtracting the bits of √½ carries into the exponent field.
  const uint32_t shifted = pattern - 0x3F3504F3u;
  const float exponent = static_cast<float>(static_cast<int32_t>(shifted) >> 23);
  const float m = std::bit_cast<float>((shifted & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
  const float square = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  float y = m * square * p;
  y = y + exponent * -2.12194440e-4f;  // ln 2 in two parts: the first has few bits, so no rounding
  y = y - 0.5f * square;
  return (m + y) + exponent * 0.693359375f;
}

struct Pair {
  float first, second;
};

/// Two standard normals from two random words.
inline Pair box_muller(uint32_t radius_word, uint32_t angle_word) {
  // (w + ½) 2^-32 keeps full precision near 0, where the tail comes from; it may round to 1, ln 1 =
  // 0.
  const float u = (static_cast<float>(radius_word) + 0.5f) * 0x1p-32f;
  const float radius = std::sqrt(-2.0f * natural_log(u));
  // Low 30 bits: an angle in [-π/4, π/4); the top two: which quarter turn is added.
  const int32_t fraction = static_cast<int32_t>(angle_word & 0x3FFFFFFFu) - 0x20000000;
  const float angle = (static_cast<float>(fraction) + 0.5f) * 1.4629180792671596e-9f;  // π/2 / 2^30
  const float square = angle * angle;
  float s = -1.9515295891e-4f;  // Cephes sinf and cosf on [-π/4, π/4]
  s = s * square + 8.3321608736e-3f;
  s = s * square - 1.6666654611e-1f;
  const float sine = s * square * angle + angle;
  float c = 2.443315711809948e-5f;
  c = c * square - 1.388731625493765e-3f;
  c = c * square + 4.166664568298827e-2f;
  const float cosine = c * square * square - 0.5f * square + 1.0f;
  const uint32_t quarter = angle_word >> 30;
  const bool swap = (quarter & 1u) != 0;
  const uint32_t first_sign = ((quarter + 1u) & 2u) << 30;  // negative in quarters 1 and 2
  const uint32_t second_sign = (quarter & 2u) << 30;        // negative in quarters 2 and 3
  const uint32_t first = std::bit_cast<uint32_t>(swap ? sine : cosine) ^ first_sign;
  const uint32_t second = std::bit_cast<uint32_t>(swap ? cosine : sine) ^ second_sign;
  return {radius * std::bit_cast<float>(first), radius * std::bit_cast<float>(second)};
}

/// Midpoint of one of 2^23 equal cells of (0, 1): exact, so neither end is ever reached.
inline float unit_interval(uint32_t word) {
  return (static_cast<float>(static_cast<int32_t>(word >> 9)) + 0.5f) * 0x1p-23f;
}

}  // namespace assay::detail
