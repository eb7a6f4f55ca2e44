// The noise view as precise as asked: closed forms, costs, and what is shared between weights.
#include "toy.h"

#include <set>

#include "assay/measure/snr_measurement.h"
#include "assay/stats/noise_difference.h"

namespace assay {
namespace {

const std::vector<double> kSpectrum = {4, 2, 1, .5, .25, .125, .06, .03};

// ½(θ − x)'(θ − x), x ~ N(0, S): G = θ, Σ = S (notes: snr.md 4.1).
auto quadratic(double theta) {
  return [=]() -> std::shared_ptr<Objective> {
    return std::make_shared<toy::Quadratic>(torch::full({8}, theta), torch::ones({8}));
  };
}

double snr_truth(double theta) {
  double total = 0;
  for (const double variance : kSpectrum) total += variance;
  return 8 * theta * theta / total;
}

SnrPlan small_block() {
  SnrPlan plan;
  plan.units = 16;
  plan.examples_per_unit = 2;
  plan.level_units = plan.band_units = 0;
  return plan;
}

// H0: what adaptive measuring reports is compatible with the closed form (level 1e-6), and what it
// charges is blocks × units × examples × draws gradients. SNR .05, ±15% asked: the first 32
// examples cannot do, 600 to 3,000 can.
TEST(SnrMeasurement, GoesOnUntilItIsPreciseAndChargesForIt) {
  const toy::GaussianData data(kSpectrum, 100'000, 5);
  Subject subject = toy::subject(quadratic(.223), data, data);
  SnrMeasurement measurement(subject, small_block());
  const SnrAspect whole = measurement.aspects().front();
  const SnrResult result =
      measurement.measure(Weights::averaged, whole, SnrTarget{NoiseQuantity::snr, .15, 1e15});
  EXPECT_EQ(result.stopped_by, "half_width");
  EXPECT_LE(result.half_width, .15);
  EXPECT_GT(result.blocks, 10);
  EXPECT_LT(result.looks, 7);
  EXPECT_EQ(result.flops, static_cast<double>(result.blocks) * 16 * 2 * 2 * 3e6);
  EXPECT_EQ(subject.flops_spent, result.flops);
  const Measurement snr =
      toy::find(result.records, "snr_per_example", {{"group", "trunk"}, {"metric", "euclidean"}});
  EXPECT_TRUE(toy::compatible(snr, snr_truth(.223), 15));
  EXPECT_EQ(snr.n, result.blocks * 32);
}

TEST(SnrMeasurement, SaysWhatEndedIt) {
  const toy::GaussianData data(kSpectrum, 330, 5);
  Subject subject = toy::subject(quadratic(0), data, data);
  SnrMeasurement measurement(subject, small_block());
  const SnrAspect whole = measurement.aspects().front();
  const double block = measurement.flops_per_block(whole);
  const auto measure = [&](double flops) {
    return measurement.measure(Weights::averaged, whole, SnrTarget{NoiseQuantity::snr, .01, flops});
  };
  const SnrResult budget = measure(3.9 * block), all = measure(1e15);
  EXPECT_EQ(budget.stopped_by, "budget");
  EXPECT_EQ(budget.blocks, 3);
  EXPECT_EQ(all.stopped_by, "data");
  EXPECT_EQ(all.blocks, 10) << "330 examples are ten blocks of 32";
  const auto note = [](const SnrResult& result) { return result.records.front().note; };
  EXPECT_NE(note(budget).find("the budget ended it"), std::string::npos) << note(budget);
  EXPECT_NE(note(all).find("number of examples"), std::string::npos) << note(all);
}

// Two quadratics on the same examples: their gradients differ by Δθ, so tr Σ is the same up to
// rounding, and |G|² differs by |θ|² − |θ'|² with only the noise of 2 Δθ·x̄ (level 1e-6: 3.3 half
// widths at 15 degrees of freedom).
TEST(SnrMeasurement, UnitsOfTwoSubjectsArePairs) {
  const toy::GaussianData data(kSpectrum, 100'000, 5);
  Subject first = toy::subject(quadratic(.5), data, data),
          second = toy::subject(quadratic(.45), data, data);
  SnrMeasurement of_first(first, small_block()), of_second(second, small_block());
  const SnrAspect whole = of_first.aspects().front();
  const auto ids = of_first.examples(whole, 0);
  const Seed draws = of_first.draws(whole);
  const auto trunk = [&](SnrMeasurement& of) {
    for (const NoiseUnits& one : of.units(Weights::averaged, 16, ids, draws))
      if (one.group == "trunk") return one.units;
    throw std::logic_error("no trunk");
  };
  const NestedUnits a = trunk(of_first), b = trunk(of_second);
  const NoiseDifference paired = noise_difference(a, b);
  EXPECT_NEAR(paired.trace_total.value, 0, 1e-4);
  EXPECT_LT(paired.trace_total.high - paired.trace_total.low, 1e-3);
  const double width = paired.signal.high - paired.signal.low;
  EXPECT_NEAR(paired.signal.value, 8 * (.5 * .5 - .45 * .45), 3.3 * width / 2);
  const Estimate alone = estimate_noise(a).signal;
  EXPECT_LT(width, .3 * (alone.high - alone.low)) << "pairing narrows";
  EXPECT_EQ(first.flops_spent, of_first.flops_per_block(whole));
}

// Levels kept while patterns are redrawn split the objective's variance in two. The toy has one
// noise level, which therefore makes none of it (level 1e-6).
TEST(SnrMeasurement, PatternsSplitTheObjectivesVariance) {
  const toy::GaussianData data(kSpectrum, 100'000, 5);
  Subject subject = toy::subject(
      [] {
        return std::make_shared<toy::Denoiser>(.3 * torch::eye(8), std::vector<double>{.5}, 1);
      },
      data, data);
  SnrPlan plan = small_block();
  plan.patterns = 2;
  SnrMeasurement measurement(subject, plan);
  const SnrResult result = measurement.measure(Weights::averaged, measurement.aspects().front());
  EXPECT_EQ(result.patterns, 2);
  EXPECT_EQ(result.flops, 16 * 2 * 4 * measurement.source().flops_per_example());
  const std::map<std::string, std::string> trunk = {{"group", "trunk"}, {"metric", "euclidean"}};
  const Measurement level = toy::find(result.records, "level_variance", trunk),
                    pattern = toy::find(result.records, "pattern_variance", trunk),
                    objective = toy::find(result.records, "objective_variance", trunk);
  EXPECT_NEAR(level.value + pattern.value, objective.value, 1e-6 * objective.value);
  EXPECT_TRUE(toy::compatible(level, 0, 15));
  EXPECT_GT(*pattern.low, 0);
}

// No example stands in two blocks, and blocks of the same number are the same for all weights.
TEST(SnrMeasurement, BlocksAreDisjoint) {
  const toy::GaussianData data(kSpectrum, 330, 5);
  Subject subject = toy::subject(quadratic(1), data, data);
  const SnrMeasurement measurement(subject, small_block());
  const SnrAspect whole = measurement.aspects().front();
  std::set<int64_t> seen;
  for (int64_t block = 0; block < 10; ++block)
    for (const int64_t id : measurement.examples(whole, block)) {
      EXPECT_TRUE(seen.insert(id).second) << id;
      EXPECT_TRUE(0 <= id && id < 330);
    }
  EXPECT_EQ(seen.size(), 320u);
}

}  // namespace
}  // namespace assay
