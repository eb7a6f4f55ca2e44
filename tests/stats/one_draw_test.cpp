// One draw of each example: the total only, at the least cost.
#include <gtest/gtest.h>

#include <cmath>

#include "assay/core/error.h"
#include "assay/stats/adaptive_noise.h"
#include "assay/stats/noise_accumulator.h"
#include "stats/repeat.h"

namespace assay {
namespace {

using namespace testing;

constexpr NoisePlan kOneDraw{.units = 16, .examples_per_unit = 4, .draws = 1};

// Draws that do not differ add nothing: |G|², tr Σ and their intervals are then those of two draws.
TEST(OneDraw, EqualsTwoDrawsWithoutRandomness) {
  GaussianSource source = gaussian(40, 0.5, 0);
  NoisePlan two = kOneDraw;
  two.draws = 2;
  const auto ids = consecutive(0, 64);
  const NoiseEstimate one = measure_noise(source, ids, kOneDraw, Seed(1), 0).at("all");
  const NoiseEstimate both = measure_noise(source, ids, two, Seed(1), 0).at("all");
  for (const auto quantity :
       {&NoiseEstimate::signal, &NoiseEstimate::trace_total, &NoiseEstimate::snr_per_example,
        &NoiseEstimate::effective_dimension}) {
    EXPECT_EQ((one.*quantity).value, (both.*quantity).value);
    EXPECT_EQ((one.*quantity).low, (both.*quantity).low);
    EXPECT_EQ((one.*quantity).high, (both.*quantity).high);
  }
  EXPECT_TRUE(std::isnan(one.trace_data.value) && std::isnan(one.trace_objective.value));
  EXPECT_TRUE(std::isnan(one.objective_share.value) && std::isnan(one.objective_share.low));
  EXPECT_TRUE(std::isinf(relative_half_width(one.objective_share)));
}

// H: E estimate = |G|², and tr Σ_A + tr Σ_E, also over merged blocks; n = 400 measurements;
// two-sided normal test of each mean at 1e-6 (4.9 standard errors). Power .999 against a bias of 8
// of them.
TEST(OneDraw, IsUnbiasedAndCoversOverBlocks) {
  GaussianSource source = gaussian(30, 0.3, 2);
  Moments signal, total;
  int covered = 0;
  for (uint64_t i = 0; i < 400; ++i) {
    NoiseAccumulator accumulator(source, kOneDraw, Seed(7).child(i), 0);
    for (int64_t block = 0; block < 3; ++block)
      accumulator.add(consecutive((static_cast<int64_t>(i) * 3 + block) * 64, 64));
    const NoiseEstimate e = accumulator.view().at("all");
    signal.add(e.signal.value);
    total.add(e.trace_total.value);
    covered += e.snr_per_example.low <= 0.3 / 90 && 0.3 / 90 <= e.snr_per_example.high;
  }
  EXPECT_NEAR(signal.mean(), 0.3, 4.9 * signal.standard_error());
  EXPECT_NEAR(total.mean(), 90, 4.9 * total.standard_error());
  // H: coverage >= .925; binomial, P(fewer than 346 of 400) < 1e-6; power .999 against .80.
  EXPECT_GE(covered, 346);
}

// At equal cost (2n examples once, or n examples twice) and without signal, Var |G|² falls by
// (λ_A + λ_E/2)²/((λ_A + λ_E)/2)²: 4 where the objective has no randomness, 1.44 at λ_E = 4 λ_A.
// n = 600 each of nearly normal estimates; a ratio of variances has the standard error
// √(4/600)·ratio, tested at 4.9.
TEST(OneDraw, IsTheCheaperWayToTheSignal) {
  for (const auto& [objective, gain] : {std::pair(0.0, 4.0), std::pair(4.0, 1.44)}) {
    GaussianSource source = gaussian(60, 0, objective);
    Moments once, twice;
    NoisePlan plan = kOneDraw;
    plan.examples_per_unit = 2;
    repeat(source, plan, 600, [&](const NoiseView& v) { once.add(v.at("all").signal.value); });
    plan.examples_per_unit = 1;
    plan.draws = 2;
    repeat(source, plan, 600, [&](const NoiseView& v) { twice.add(v.at("all").signal.value); });
    EXPECT_NEAR(twice.variance() / once.variance() / gain, 1, 4.9 * std::sqrt(4.0 / 600));
  }
}

TEST(OneDraw, WhatItCannotTellIsRefused) {
  GaussianSource source = gaussian(10, 0.5, 1);
  NoisePlan plan = kOneDraw;
  plan.population = 1000;
  EXPECT_THROW(measure_noise(source, consecutive(0, 64), plan, Seed(1), 0), Error);
  plan = kOneDraw;
  plan.patterns = 2;
  EXPECT_THROW(measure_noise(source, consecutive(0, 64), plan, Seed(1), 0), Error);
}

}  // namespace
}  // namespace assay
