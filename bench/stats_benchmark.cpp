// Time of the span kernels at the size of a small model: .8 million parameters.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "assay/stats/gram.h"
#include "assay/stats/kernels.h"
#include "assay/stats/noise_view.h"

namespace {

constexpr int64_t kParameters = 800'000, kUnits = 64;

std::vector<float> numbers(size_t count) {
  std::vector<float> out(count);
  for (size_t i = 0; i < count; ++i)
    out[i] = static_cast<float>((i * 2654435761u) % 1000) / 500 - 1;
  return out;
}

assay::GroupLayout layout() {
  std::vector<assay::Group> groups = {{"trunk", 0, 700'000}, {"head", 700'000, kParameters}};
  for (int64_t i = 0; i < 4; ++i) {
    groups.push_back({"layer." + std::to_string(i), 20'000 + i * 160'000, 180'000 + i * 160'000});
  }
  return {groups, kParameters};
}

// What training pays per microbatch, beside the plain addition below: at most 1% of a step.
void accumulate_and_norm(benchmark::State& state) {
  std::vector<float> accumulator(kParameters), gradient = numbers(kParameters);
  const assay::GroupLayout groups = layout();
  std::vector<double> norms(groups.groups().size());
  for (auto _ : state) {
    assay::accumulate_and_norm(accumulator, gradient, groups, norms);
    benchmark::DoNotOptimize(norms.data());
  }
}
BENCHMARK(accumulate_and_norm)->Unit(benchmark::kMicrosecond);

void plain_accumulation(benchmark::State& state) {
  std::vector<float> accumulator(kParameters), gradient = numbers(kParameters);
  for (auto _ : state) {
    for (size_t i = 0; i < accumulator.size(); ++i) accumulator[i] += gradient[i];
    benchmark::DoNotOptimize(accumulator.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(plain_accumulation)->Unit(benchmark::kMicrosecond);

// Target: 60 to 100 ms for 64 × .8 million on one core with AVX-512.
void gram_matrices(benchmark::State& state) {
  const std::vector<float> data = numbers(kUnits * kParameters);
  const assay::GroupLayout groups = layout();
  const assay::Rows rows = assay::Rows::of(data, kUnits, kParameters);
  for (auto _ : state) benchmark::DoNotOptimize(assay::gram_matrices(rows, groups));
}
BENCHMARK(gram_matrices)->Unit(benchmark::kMillisecond);

void centred_grams(benchmark::State& state) {
  const std::vector<float> data = numbers(kUnits * kParameters);
  const std::vector<float> weight(kParameters, 2.0f);
  const assay::GroupLayout groups = layout();
  const assay::Rows rows = assay::Rows::of(data, kUnits, kParameters);
  const std::vector<assay::DiagonalMetric> metrics{{"euclidean", {}}, {"adam", weight}};
  for (auto _ : state) benchmark::DoNotOptimize(assay::centred_grams(rows, groups, metrics));
}
BENCHMARK(centred_grams)->Unit(benchmark::kMillisecond);

// What the intervals cost beside the gradients, for each group and metric.
void estimate_noise(benchmark::State& state) {
  const int64_t units = state.range(0), size = 20'000;
  const std::vector<float> data = numbers(static_cast<size_t>(units * size));
  const assay::GroupLayout group({{"all", 0, size}}, size);
  const assay::NestedUnits nested{
      .means = assay::centred_grams(assay::Rows::of(data, units, size), group)[0],
      .within = std::vector<double>(static_cast<size_t>(units), 1000.0)};
  for (auto _ : state) benchmark::DoNotOptimize(assay::estimate_noise(nested));
}
BENCHMARK(estimate_noise)->Arg(32)->Arg(64)->Arg(128)->Arg(512)->Unit(benchmark::kMillisecond);

// All but the gradients themselves: 64 units of 2 draws, two metrics.
void measure_noise(benchmark::State& state) {
  class Source : public assay::GradientSource {
   public:
    std::vector<float> values = numbers(kParameters);
    int64_t size() const override { return kParameters; }
    std::vector<assay::Group> groups() const override { return layout().groups(); }
    void gradient(std::span<const int64_t> examples, const assay::Draw&,
                  std::span<float> out) override {
      const size_t shift = static_cast<size_t>(examples[0] * 1009 % kParameters);
      std::copy(values.begin() + static_cast<std::ptrdiff_t>(shift), values.end(), out.begin());
      std::copy_n(values.begin(), shift, out.end() - static_cast<std::ptrdiff_t>(shift));
    }
  } source;
  const std::vector<float> weight(kParameters, 2.0f);
  std::vector<int64_t> ids(kUnits);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i);
  const assay::NoisePlan plan{.units = kUnits, .examples_per_unit = 1, .draws = 2};
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        assay::measure_noise(source, ids, plan, assay::Seed(1), 0, {{"adam", weight}}));
  }
}
BENCHMARK(measure_noise)->Unit(benchmark::kMillisecond);

}  // namespace
