// Vector lanes for the span kernels: one body, compiled for several instruction sets.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__)
#define ASSAY_STATS_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ASSAY_STATS_CLONES
#endif

namespace assay::detail {

/// 16 floats; the compiler splits them where registers are narrower. Loads need no alignment.
using Lanes = float __attribute__((vector_size(64), aligned(4), may_alias));
constexpr long kLanes = 16;

/// Σ of the lanes in float64.
inline double sum_of(const Lanes& lanes) {
  double sum = 0;
  for (int i = 0; i < kLanes; ++i) sum += static_cast<double>(lanes[i]);
  return sum;
}

}  // namespace assay::detail
