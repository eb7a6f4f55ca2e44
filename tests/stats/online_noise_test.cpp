// The estimator that rides on training's own microbatches.
#include "assay/stats/online_noise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "assay/core/error.h"
#include "assay/stats/kernels.h"
#include "stats/repeat.h"

namespace assay {
namespace {

using namespace testing;

/// `steps` steps of 4 microbatches of 8 examples from `first` on, through the fused kernel as
/// training calls it.
void feed(OnlineNoise& online, GradientSource& source, const GroupLayout& layout, int64_t first,
          int64_t steps, const std::function<void()>& after_step) {
  const size_t groups = layout.groups().size();
  std::vector<float> gradient(static_cast<size_t>(source.size())), sum(gradient.size());
  std::vector<double> norms(4 * groups), sum_squared(groups);
  for (int64_t step = 0; step < steps; ++step) {
    std::fill(sum.begin(), sum.end(), 0.0f);
    for (int64_t j = 0; j < 4; ++j) {
      const Draw draw = Draw::from(Seed(1).child(static_cast<uint64_t>(step)), 0);
      source.gradient(consecutive(first + (step * 4 + j) * 8, 8), draw, gradient);
      accumulate_and_norm(sum, gradient, layout,
                          std::span(norms).subspan(static_cast<size_t>(j) * groups, groups));
    }
    squared_norms(sum, {}, layout, sum_squared);
    online.add_step(norms, sum_squared);
    after_step();
  }
}

// Hypothesis: per step unbiased for |G|² and tr Σ; 3,000 steps of 4 microbatches of 8, through the
// fused kernel as training calls it, level 1e-6. Power: 2% of tr Σ or 5% of |G|² is found.
TEST(OnlineNoise, IsUnbiasedPerStep) {
  constexpr Eigen::Index size = 50;
  GaussianSource source(Vector::Constant(size, 0.3), Vector::Ones(size),
                        Vector::Constant(size, 0.5));
  const GroupLayout layout({{"all", 0, size}, {"head", 40, size}}, size);
  OnlineNoise online(2, 4, 8, 0.9);
  Moments signal, trace, head;
  feed(online, source, layout, 0, 3000, [&] {
    signal.add(online.last()[0].signal);
    trace.add(online.last()[0].trace_total);
    head.add(online.last()[1].trace_total);
  });
  EXPECT_LT(std::abs(z_score(signal, 50 * 0.09)), kLevel);
  EXPECT_LT(std::abs(z_score(trace, 75)), kLevel);
  EXPECT_LT(std::abs(z_score(head, 15)), kLevel);
  EXPECT_LT(signal.standard_error(), 0.01 * 4.5);
  EXPECT_LT(trace.standard_error(), 0.004 * 75);
}

// H0: at fixed weights the probe (paired draws) and the microbatches of training steps (one draw of
// each example) estimate one |G|² and one tr Σ, of a denoiser whose levels and noise make part of
// it. 300 probes of 16 × 4 examples, 3,000 steps of 4 × 8; the difference at level 1e-6. Power: its
// standard error is below 5% of |G|² and 3% of tr Σ; a unit's variance taken for an example's would
// be eight times tr Σ.
TEST(OnlineNoise, EstimatesWhatTheProbeDoes) {
  DenoisingSource source;
  const GroupLayout layout(source.groups(), source.size());
  OnlineNoise online(2, 4, 8, 0.9);
  Moments signal, trace;
  feed(online, source, layout, 1'000'000, 3000, [&] {
    signal.add(online.last()[0].signal);
    trace.add(online.last()[0].trace_total);
  });
  Averages probe;
  repeat(source, {.units = 16, .examples_per_unit = 4, .draws = 2}, 300,
         [&](const NoiseView& view) { probe.add(view.at("all")); });
  const auto compare = [](const Moments& a, const Moments& b, double most) {
    const double error = std::hypot(a.standard_error(), b.standard_error());
    EXPECT_LT(std::abs(a.mean() - b.mean()), kLevel * error) << a.mean() << " " << b.mean();
    EXPECT_LT(error, most * b.mean());
  };
  compare(signal, probe.signal, .05);
  compare(trace, probe.total, .03);
  EXPECT_GT(probe.objective.mean(), .2 * probe.total.mean()) << "the objective's noise is in it";
}

TEST(OnlineNoise, ForgetsExponentially) {
  OnlineNoise online(1, 2, 1, 0.5);
  EXPECT_TRUE(std::isnan(online.average()[0].snr_per_example));
  EXPECT_TRUE(std::isnan(online.last()[0].signal));
  // Microbatches g and h: |G|² = g·h, tr Σ = |g − h|² / 2.
  online.add_step(std::vector<double>{1, 1}, std::vector<double>{2});   // orthogonal: 0 and 1
  online.add_step(std::vector<double>{1, 9}, std::vector<double>{16});  // 1 and 3: 3 and 2
  EXPECT_DOUBLE_EQ(online.last()[0].signal, 3);
  EXPECT_DOUBLE_EQ(online.last()[0].trace_total, 2);
  const OnlineNoise::Value average = online.average()[0];
  EXPECT_DOUBLE_EQ(average.signal, 3 / 1.5);
  EXPECT_DOUBLE_EQ(average.trace_total, 2.5 / 1.5);
  EXPECT_DOUBLE_EQ(average.snr_per_example, 3 / 2.5);  // a ratio of means
  EXPECT_DOUBLE_EQ(average.effective_steps, 1.5 * 1.5 / 1.25);
}

TEST(OnlineNoise, EffectiveStepsApproachTheirLimit) {
  OnlineNoise online(1, 2, 1, 0.9);
  for (int i = 0; i < 500; ++i) {
    online.add_step(std::vector<double>{1, 9}, std::vector<double>{16});
  }
  EXPECT_NEAR(online.average()[0].effective_steps, 1.9 / 0.1, 1e-9);
}

TEST(OnlineNoise, ResumesFromItsState) {
  OnlineNoise one(2, 2, 4, 0.9);
  one.add_step(std::vector<double>{1, 2, 3, 4}, std::vector<double>{5, 6});
  OnlineNoise two(2, 2, 4, 0.9);
  two.restore(one.state());
  for (OnlineNoise* online : {&one, &two}) {
    online->add_step(std::vector<double>{2, 2, 1, 4}, std::vector<double>{4, 7});
  }
  EXPECT_EQ(one.state(), two.state());
  EXPECT_EQ(one.average()[1].signal, two.average()[1].signal);
  EXPECT_THROW(two.restore(std::vector<double>{1}), Error);
}

TEST(OnlineNoise, RefusesWhatIsNotANumberAndKeepsItsState) {
  OnlineNoise online(1, 2, 1, 0.9);
  online.add_step(std::vector<double>{1, 9}, std::vector<double>{16});
  const std::vector<double> before = online.state();
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_THROW(online.add_step(std::vector<double>{1, infinite}, std::vector<double>{infinite}),
               Error);
  EXPECT_EQ(online.state(), before);
  EXPECT_THROW(online.add_step(std::vector<double>{1}, std::vector<double>{1}), Error);
  EXPECT_THROW(OnlineNoise(1, 1, 8, 0.9), Error);
  EXPECT_THROW(OnlineNoise(1, 2, 8, 1.0), Error);
}

}  // namespace
}  // namespace assay
