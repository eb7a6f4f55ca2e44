// Sums of squares and products over long spans.
#include "assay/stats/kernels.h"

#include <algorithm>

#include "assay/core/error.h"
#include "assay/stats/lanes.h"

namespace assay {
namespace {

using detail::kLanes;
using detail::Lanes;
constexpr long kBlock = 1024;         // fp32 sums are this long at most, spread over 64 lanes
constexpr long kStride = 4 * kLanes;  // four chains hide the latency of the additions

// One loop for every kernel. `product(i)` gives 16 products from i on, `single(i)` one.
template <typename Product, typename Single>
[[gnu::always_inline]] inline double blocked_sum(long size, const Product& product,
                                                 const Single& single) {
  double total = 0;
  long i = 0;
  while (size - i >= kStride) {
    const long stop = i + std::min(kBlock, (size - i) / kStride * kStride);
    Lanes sum[4] = {};
    for (; i < stop; i += kStride) {
      for (long j = 0; j < 4; ++j) product(i + j * kLanes, sum[j]);
    }
    total += detail::sum_of((sum[0] + sum[1]) + (sum[2] + sum[3]));
  }
  for (; i < size; ++i) total += single(i);
  return total;
}

[[gnu::always_inline]] inline const Lanes& load(const float* p) {
  return *reinterpret_cast<const Lanes*>(p);
}

ASSAY_STATS_CLONES double dot_kernel(const float* a, const float* b, long size) {
  return blocked_sum(
      size, [&](long i, Lanes& sum) { sum += load(a + i) * load(b + i); },
      [&](long i) { return static_cast<double>(a[i]) * static_cast<double>(b[i]); });
}

ASSAY_STATS_CLONES double weighted_kernel(const float* a, const float* b, const float* weight,
                                          long size) {
  return blocked_sum(
      size, [&](long i, Lanes& sum) { sum += load(weight + i) * load(a + i) * load(b + i); },
      [&](long i) {
        return static_cast<double>(weight[i]) * static_cast<double>(a[i]) *
               static_cast<double>(b[i]);
      });
}

ASSAY_STATS_CLONES double accumulate_kernel(float* accumulator, const float* gradient, long size) {
  return blocked_sum(
      size,
      [&](long i, Lanes& sum) {
        const Lanes g = load(gradient + i);
        *reinterpret_cast<Lanes*>(accumulator + i) += g;
        sum += g * g;
      },
      [&](long i) {
        accumulator[i] += gradient[i];
        return static_cast<double>(gradient[i]) * static_cast<double>(gradient[i]);
      });
}

void require_equal(size_t a, size_t b) {
  if (a != b) throw Error("stats.size", "spans of different lengths");
}

}  // namespace

double squared_norm(std::span<const float> a) {
  return dot_kernel(a.data(), a.data(), static_cast<long>(a.size()));
}

double dot(std::span<const float> a, std::span<const float> b) {
  require_equal(a.size(), b.size());
  return dot_kernel(a.data(), b.data(), static_cast<long>(a.size()));
}

double weighted_dot(std::span<const float> a, std::span<const float> b,
                    std::span<const float> weight) {
  require_equal(a.size(), b.size());
  require_equal(a.size(), weight.size());
  return weighted_kernel(a.data(), b.data(), weight.data(), static_cast<long>(a.size()));
}

double accumulate_and_norm(std::span<float> accumulator, std::span<const float> gradient) {
  require_equal(accumulator.size(), gradient.size());
  return accumulate_kernel(accumulator.data(), gradient.data(), static_cast<long>(gradient.size()));
}

void accumulate_and_norm(std::span<float> accumulator, std::span<const float> gradient,
                         const GroupLayout& layout, std::span<double> squared_norms) {
  require_equal(accumulator.size(), gradient.size());
  require_equal(gradient.size(), static_cast<size_t>(layout.size()));
  std::vector<double> by_segment(static_cast<size_t>(layout.segments()));
  for (int64_t segment = 0; segment < layout.segments(); ++segment) {
    const size_t begin = static_cast<size_t>(layout.begin(segment));
    const size_t length = static_cast<size_t>(layout.end(segment)) - begin;
    by_segment[static_cast<size_t>(segment)] =
        accumulate_and_norm(accumulator.subspan(begin, length), gradient.subspan(begin, length));
  }
  layout.fold(by_segment, squared_norms);
}

void squared_norms(std::span<const float> a, std::span<const float> weight,
                   const GroupLayout& layout, std::span<double> out) {
  require_equal(a.size(), static_cast<size_t>(layout.size()));
  std::vector<double> by_segment(static_cast<size_t>(layout.segments()));
  for (int64_t segment = 0; segment < layout.segments(); ++segment) {
    const size_t begin = static_cast<size_t>(layout.begin(segment));
    const size_t length = static_cast<size_t>(layout.end(segment)) - begin;
    const std::span<const float> part = a.subspan(begin, length);
    by_segment[static_cast<size_t>(segment)] =
        weight.empty() ? squared_norm(part)
                       : weighted_dot(part, part, weight.subspan(begin, length));
  }
  layout.fold(by_segment, out);
}

}  // namespace assay
