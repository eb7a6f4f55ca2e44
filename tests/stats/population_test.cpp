// Samples of a finite population without replacement.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "assay/core/error.h"
#include "stats/repeat.h"

namespace assay {
namespace {

using namespace testing;

constexpr int64_t kPopulation = 64;

struct Truth {
  double signal, data, objective;
};
// Of the 64 examples themselves; the objective's draws are endless.
Truth truth_of(const GaussianSource& source) {
  Matrix means(source.size(), kPopulation);
  for (int64_t id = 0; id < kPopulation; ++id) {
    const Vector own = normal_vector(Seed(17), id, source.size());
    means.col(id) = source.mean + source.data.cwiseSqrt().cwiseProduct(own);
  }
  const Vector mean = means.rowwise().mean();
  return {mean.squaredNorm(), (means.colwise() - mean).squaredNorm() / kPopulation,
          source.objective.sum()};
}

std::vector<int64_t> subset(int64_t count, unsigned seed) {
  std::vector<int64_t> ids = consecutive(0, kPopulation);
  std::mt19937 random(seed);
  std::shuffle(ids.begin(), ids.end(), random);
  ids.resize(static_cast<size_t>(count));
  return ids;
}

// Hypothesis: unbiased for the population's own values and covering them, over subsets of 24 and 48
// of 64; n = 600, level 1e-6 (coverage .93: at least 527 of 600). Power: without the factor |G|² is
// off by n/N · tr Σ_data/n, found beyond doubt (the last lines); intervals of half the width cover
// .67.
TEST(Population, SamplesAreUnbiasedAndCoverThePopulationsValues) {
  for (const double objective : {0.0, 0.5}) {
    GaussianSource source = gaussian(80, 1, objective);
    const Truth truth = truth_of(source);
    for (const int64_t units : {24, 48}) {
      NoisePlan plan{.units = units, .examples_per_unit = 1, .draws = 2};
      Averages averages, unaware;
      int signal = 0, data = 0, snr = 0, wider = 0;
      for (unsigned i = 0; i < 600; ++i) {
        const std::vector<int64_t> ids = subset(units, i);
        plan.population = kPopulation;
        const NoiseEstimate e = measure_noise(source, ids, plan, Seed(1).child(i), 0).at("all");
        averages.add(e);
        const auto holds = [](const Estimate& x, double t) { return x.low <= t && t <= x.high; };
        signal += holds(e.signal, truth.signal);
        data += holds(e.trace_data, truth.data);
        snr += holds(e.snr_per_example, truth.signal / (truth.data + truth.objective));
        plan.population.reset();
        const NoiseEstimate u = measure_noise(source, ids, plan, Seed(1).child(i), 0).at("all");
        unaware.add(u);
        wider += u.signal.high - u.signal.low > e.signal.high - e.signal.low;
      }
      EXPECT_LT(std::abs(z_score(averages.signal, truth.signal)), kLevel) << units;
      EXPECT_LT(std::abs(z_score(averages.data, truth.data)), kLevel) << units;
      if (objective > 0) {
        EXPECT_LT(std::abs(z_score(averages.objective, truth.objective)), kLevel) << units;
      }
      EXPECT_GE(signal, 527) << units << " " << objective;
      EXPECT_GE(data, 527) << units << " " << objective;
      EXPECT_GE(snr, 527) << units << " " << objective;
      EXPECT_EQ(wider, 600);
      EXPECT_LT(z_score(unaware.signal, truth.signal), -10);
    }
  }
}

// The whole population without noise of the objective's own: nothing is left to chance.
TEST(Population, AllOfItAgreesWithTheExhaustiveMode) {
  GaussianSource source = gaussian(80, 1, 0);
  const std::vector<int64_t> ids = consecutive(0, kPopulation);
  NoisePlan plan{.units = kPopulation, .examples_per_unit = 1, .draws = 2};
  plan.population = kPopulation;
  const NoiseEstimate sampled = measure_noise(source, ids, plan, Seed(1), 0).at("all");
  plan.population.reset();
  plan.exhaustive = true;
  plan.draws = 1;
  const NoiseEstimate exact = measure_noise(source, ids, plan, Seed(1), 0).at("all");
  const auto expect_same = [](const Estimate& a, const Estimate& b) {
    EXPECT_NEAR(a.value, b.value, 1e-9 * b.value);
    EXPECT_NEAR(a.low, b.value, 1e-9 * b.value);
    EXPECT_NEAR(a.high, b.value, 1e-9 * b.value);
  };
  expect_same(sampled.signal, exact.signal);
  expect_same(sampled.trace_data, exact.trace_data);
  expect_same(sampled.snr_per_example, exact.snr_per_example);
}

}  // namespace
}  // namespace assay
