// Time of the noise of one batch: 64 images of 3 × 32 × 32.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "assay/noise/noise.h"

namespace {

constexpr int64_t kExamples = 64, kNumbers = 3072;

// Target: at most .4 ms on one core with AVX-512 (at::normal_ on the same machine: .48 ms).
void normals(benchmark::State& state) {
  std::vector<float> out(static_cast<size_t>(kExamples * kNumbers));
  for (auto _ : state) {
    for (int64_t i = 0; i < kExamples; ++i) {
      assay::normals(
          assay::Seed(1), i, 0,
          std::span(out).subspan(static_cast<size_t>(i * kNumbers), static_cast<size_t>(kNumbers)));
    }
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(normals)->Unit(benchmark::kMillisecond);

void uniforms(benchmark::State& state) {
  std::vector<float> out(static_cast<size_t>(kExamples * kNumbers));
  for (auto _ : state) {
    for (int64_t i = 0; i < kExamples; ++i) {
      assay::uniforms(
          assay::Seed(1), i, 0,
          std::span(out).subspan(static_cast<size_t>(i * kNumbers), static_cast<size_t>(kNumbers)));
    }
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(uniforms)->Unit(benchmark::kMillisecond);

void standard_library(benchmark::State& state) {
  std::vector<float> out(static_cast<size_t>(kExamples * kNumbers));
  std::mt19937_64 generator(1);
  std::normal_distribution<float> normal;
  for (auto _ : state) {
    for (float& value : out) value = normal(generator);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(standard_library)->Unit(benchmark::kMillisecond);

void data_order(benchmark::State& state) {
  int64_t index = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(assay::permuted(assay::Seed(1), 100000, index));
    index = (index + 1) % 100000;
  }
}
BENCHMARK(data_order);

}  // namespace
