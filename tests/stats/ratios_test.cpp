// Noise scale and headroom: closed forms, edges and simulated coverage.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "assay/core/error.h"
#include "assay/stats/headroom.h"
#include "assay/stats/noise_scale.h"
#include "stats/repeat.h"

namespace assay {
namespace {

using namespace testing;
constexpr double kInfinite = std::numeric_limits<double>::infinity();

TEST(NoiseScale, IsTheReciprocalOrABoundOrNothing) {
  const NoiseScale bounded = noise_scale({0.02, 0.01, 0.04, 0, 64});
  EXPECT_EQ(bounded.kind, NoiseScale::Kind::bounded);
  EXPECT_DOUBLE_EQ(bounded.value, 50);
  EXPECT_DOUBLE_EQ(bounded.low, 25);
  EXPECT_DOUBLE_EQ(bounded.high, 100);
  EXPECT_EQ(to_string(bounded), "50 [25, 100]");
  const NoiseScale above = noise_scale({-0.001, -0.003, 0.002, 0, 64});
  EXPECT_EQ(above.kind, NoiseScale::Kind::above);
  EXPECT_EQ(above.value, kInfinite);
  EXPECT_DOUBLE_EQ(above.low, 500);
  EXPECT_EQ(above.high, kInfinite);
  EXPECT_EQ(to_string(above), "> 500");
  for (const double high : {0.0, -0.001, std::numeric_limits<double>::quiet_NaN()}) {
    const NoiseScale none = noise_scale({-0.002, -0.003, high, 0, 64});
    EXPECT_EQ(none.kind, NoiseScale::Kind::undefined);
    EXPECT_TRUE(std::isnan(none.value) && std::isnan(none.low));
    EXPECT_EQ(to_string(none), "undefined");
  }
}

// Hypothesis: the interval holds 1/SNR with probability .95 (at zero signal: it is unbounded or
// undefined), the bound is wrong in .025; n = 600 measurements of 32 units at effective dimension
// 150, level 1e-6: at most 56 misses. Power: a coverage of .86 is found with probability .99.
TEST(NoiseScale, HoldsTheTruthAtAnySignal) {
  for (const double unit_snr : {0.0, 0.02, 0.5}) {
    GaussianSource source = gaussian(150, unit_snr * 150 * 1.25, 0.5);
    const double truth = unit_snr > 0 ? 1.5 * 150 / (unit_snr * 150 * 1.25) : kInfinite;
    int misses = 0, unresolved = 0;
    repeat(source, {.units = 32, .examples_per_unit = 1, .draws = 2}, 600,
           [&](const NoiseView& view) {
             const NoiseScale scale = noise_scale(view.at("all").snr_per_example);
             const bool undefined = scale.kind == NoiseScale::Kind::undefined;
             misses += undefined || truth < scale.low || truth > scale.high ? 1 : 0;
             unresolved += scale.kind == NoiseScale::Kind::bounded ? 0 : 1;
           });
    EXPECT_LE(misses, 56) << unit_snr;
    EXPECT_GE(unresolved, unit_snr == 0 ? 560 : 0);
    EXPECT_LE(unresolved, unit_snr == 0.5 ? 0 : 600);
  }
}

// A = 2, E = 6: two draws 8/5, infinitely many 8/2.
TEST(Headroom, ClosedForms) {
  const Estimate share{0.75, 0.5, 0.9, 0.01, 64};
  EXPECT_DOUBLE_EQ(headroom(share, 1).value, 1);
  EXPECT_DOUBLE_EQ(headroom(share, 1).high, 1);
  EXPECT_DOUBLE_EQ(headroom(share, 2).value, 1.6);
  EXPECT_DOUBLE_EQ(headroom(share, 2).low, 1 / 0.75);
  EXPECT_DOUBLE_EQ(headroom(share, 2).standard_error, 0.5 * 1.6 * 1.6 * 0.01);
  const Estimate limit = headroom(share, kInfinite);
  EXPECT_DOUBLE_EQ(limit.value, 4);
  EXPECT_DOUBLE_EQ(limit.low, 2);
  EXPECT_NEAR(limit.high, 10, 1e-12);
  EXPECT_EQ(limit.n, 64);
  EXPECT_EQ(headroom({0.9, 0.7, 1.1, 0.1, 8}, kInfinite).high, kInfinite);
  EXPECT_THROW(headroom(share, 0.5), Error);
}

// once = 12, each = 1: r* = √(12 · 3) = 6, where the gain is 8 · 13/(3 · 18).
TEST(Headroom, BestDraws) {
  const Estimate share{0.75, 0.5, 1.2, 0.01, 64};
  const DrawCost cost{12, 1};
  EXPECT_DOUBLE_EQ(best_draws(share, cost).value, 6);
  EXPECT_DOUBLE_EQ(best_draws(share, cost).low, std::sqrt(12.0));
  EXPECT_EQ(best_draws(share, cost).high, kInfinite);
  EXPECT_DOUBLE_EQ(gain_of_draws(0.75, cost, 6), 8 * 13 / (3.0 * 18));
  EXPECT_EQ(best_whole_draws(0.75, cost), 6);
  for (const double s : {0.05, 0.3, 0.75, 0.95}) {
    for (const double once : {0.0, 0.7, 3.0, 40.0}) {
      const int64_t best = best_whole_draws(s, {once, 1});
      for (int64_t r = 1; r < 60; ++r) {
        EXPECT_LE(gain_of_draws(s, {once, 1}, static_cast<double>(r)),
                  gain_of_draws(s, {once, 1}, static_cast<double>(best)) + 1e-12);
      }
    }
  }
  EXPECT_EQ(best_whole_draws(0.99, {0, 1}), 1);  // at equal gradients averaging cannot win
  EXPECT_THROW(best_draws(share, {-1, 1}), Error);
  EXPECT_THROW(gain_of_draws(0.5, {1, 0}, 2), Error);
}

// A = 1, E = .5 per coordinate: headroom 1.2 of two draws, 1.5 of infinitely many. Hypothesis:
// coverage .95; n = 600, level 1e-6: at most 56 misses (power as above).
TEST(Headroom, IntervalsHoldTheTruth) {
  GaussianSource source = gaussian(60, 0.5, 0.5);
  int misses = 0, limit_misses = 0;
  repeat(source, {.units = 24, .examples_per_unit = 2, .draws = 3}, 600,
         [&](const NoiseView& view) {
           const Estimate& share = view.at("all").objective_share;
           const Estimate two = headroom(share, 2), limit = headroom(share, kInfinite);
           misses += two.low <= 1.2 && 1.2 <= two.high ? 0 : 1;
           limit_misses += limit.low <= 1.5 && 1.5 <= limit.high ? 0 : 1;
         });
  EXPECT_LE(misses, 56);
  EXPECT_LE(limit_misses, 56);
}

}  // namespace
}  // namespace assay
