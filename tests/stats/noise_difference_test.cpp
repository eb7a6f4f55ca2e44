// Paired differences of SNR and share between two gradients of the same units.
#include "assay/stats/noise_difference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "assay/core/error.h"
#include "assay/stats/noise_accumulator.h"
#include "stats/repeat.h"

namespace assay {
namespace {

using namespace testing;

NestedUnits units_of(GradientSource& source, const NoisePlan& plan, int64_t repetition,
                     Seed seed = Seed(70)) {
  NoiseAccumulator accumulator(source, plan, seed.child(static_cast<uint64_t>(repetition)), 0);
  const int64_t count = plan.units * plan.examples_per_unit;
  accumulator.add(consecutive(repetition * count, count));
  return accumulator.units()[0].units;
}

struct Hits {
  int snr = 0, share = 0, signal = 0, trace = 0;
  Moments width, unpaired;
};

// The two sources draw the same normals for the same example and draw: nearly the same luck.
Hits simulate(GaussianSource first, GaussianSource second, int64_t units, int repetitions) {
  const auto signal = [](const GaussianSource& s) { return s.mean.squaredNorm(); };
  const auto total = [](const GaussianSource& s) { return s.data.sum() + s.objective.sum(); };
  const auto share = [&](const GaussianSource& s) { return s.objective.sum() / total(s); };
  const NoisePlan plan{.units = units, .examples_per_unit = 1, .draws = 2};
  const auto holds = [](const Estimate& e, double t) { return e.low <= t && t <= e.high ? 1 : 0; };
  Hits out;
  for (int i = 0; i < repetitions; ++i) {
    const NestedUnits a = units_of(first, plan, i), b = units_of(second, plan, i);
    const NoiseDifference d = noise_difference(a, b);
    out.snr +=
        holds(d.snr_per_example, signal(first) / total(first) - signal(second) / total(second));
    out.share += holds(d.objective_share, share(first) - share(second));
    out.signal += holds(d.signal, signal(first) - signal(second));
    out.trace += holds(d.trace_total, total(first) - total(second));
    out.width.add(d.snr_per_example.high - d.snr_per_example.low);
    const Estimate x = estimate_noise(a).snr_per_example, y = estimate_noise(b).snr_per_example;
    out.unpaired.add(std::hypot(x.high - x.low, y.high - y.low));
  }
  return out;
}

// Hypothesis: every interval of a difference covers with probability .93 or more, at signal and
// without, at effective dimension 100 and about 3; n = 300 pairs of 48 units, level 1e-6 (at least
// 257). Power: a coverage of .80 is found with probability .99; the long form is sharper. Paired
// intervals are narrower than those of two independent measurements would be.
struct PairCase {
  std::string name;
  GaussianSource first, second;
};
std::vector<PairCase> pair_cases() {
  std::vector<PairCase> out;
  for (const bool narrow : {false, true}) {
    for (const double unit_snr : {0.0, 0.02, 0.5}) {
      const Eigen::Index size = narrow ? 16 : 100;
      Vector noise = Vector::Ones(size);
      for (Eigen::Index k = 0; narrow && k < size; ++k)
        noise[k] = std::pow(0.5, static_cast<double>(k));
      const Vector mean = std::sqrt(1.25 * unit_snr) * noise.cwiseSqrt();
      out.push_back({std::string(narrow ? "dimension 3" : "dimension 100") + ", unit SNR " +
                         std::to_string(unit_snr).substr(0, 4),
                     {mean, noise, 0.5 * noise},
                     {0.8 * mean, 1.2 * noise, 0.5 * noise}});
    }
  }
  return out;
}

TEST(NoiseDifference, IntervalsCoverAndPairingHelps) {
  for (const PairCase& c : pair_cases()) {
    const Hits found = simulate(c.first, c.second, 48, 300);
    for (const int hits : {found.snr, found.share, found.signal, found.trace})
      EXPECT_GE(hits, 257) << c.name;
    EXPECT_LT(found.width.mean(), 0.6 * found.unpaired.mean()) << c.name;
  }
}

// Acceptance of a coverage of .92 at 1e-6 with n = 4,000.
TEST(Validate, CoverageOfPairedDifferences) {
  if (std::getenv("ASSAY_VALIDATE") == nullptr) GTEST_SKIP() << "set ASSAY_VALIDATE=1";
  constexpr int n = 4000;
  std::printf("%-32s %7s %7s %7s %7s %s\n", "95% coverage, 48 pairs, n = 4,000", "SNR", "share",
              "|G|^2", "trace", "width of SNR over unpaired");
  for (const PairCase& c : pair_cases()) {
    const Hits found = simulate(c.first, c.second, 48, n);
    const auto rate = [](int hits) { return static_cast<double>(hits) / n; };
    std::printf("%-32s %7.4f %7.4f %7.4f %7.4f %7.3f\n", c.name.c_str(), rate(found.snr),
                rate(found.share), rate(found.signal), rate(found.trace),
                found.width.mean() / found.unpaired.mean());
    std::fflush(stdout);
    for (const int hits : {found.snr, found.share, found.signal, found.trace})
      EXPECT_GE(hits, 3597) << c.name;
  }
}

TEST(NoiseDifference, AgreesWithItsPartsAndVanishesWithItself) {
  GaussianSource first = gaussian(40, 3, 0.5), second = gaussian(60, 1, 1.5);
  const NoisePlan plan{.units = 16, .examples_per_unit = 2, .draws = 3};
  const NestedUnits a = units_of(first, plan, 0), b = units_of(second, plan, 0);
  const NoiseEstimate x = estimate_noise(a), y = estimate_noise(b);
  const NoiseDifference d = noise_difference(a, b), back = noise_difference(b, a);
  EXPECT_DOUBLE_EQ(d.snr_per_example.value, x.snr_per_example.value - y.snr_per_example.value);
  EXPECT_DOUBLE_EQ(d.objective_share.value, x.objective_share.value - y.objective_share.value);
  EXPECT_NEAR(d.signal.low, -back.signal.high, 1e-5 * std::abs(d.signal.low));
  const NoiseDifference none = noise_difference(a, a);
  EXPECT_EQ(none.signal.low, 0);
  EXPECT_EQ(none.signal.high, 0);
  EXPECT_EQ(none.objective_share.standard_error, 0);
}

// Planted fault: other draws and examples for the second. Nothing is paired, and the interval,
// which takes its width from the units themselves, does not shrink.
TEST(NoiseDifference, UnpairedUnitsGainNothingAndOtherDesignsAreRefused) {
  GaussianSource source = gaussian(60, 3, 0.5);
  NoisePlan plan{.units = 32, .examples_per_unit = 1, .draws = 2};
  const NestedUnits a = units_of(source, plan, 0), b = units_of(source, plan, 1, Seed(71));
  const Estimate one = estimate_noise(a).snr_per_example;
  const Estimate other = estimate_noise(b).snr_per_example;
  const Estimate d = noise_difference(a, b).snr_per_example;
  EXPECT_GT(d.high - d.low, 0.7 * std::hypot(one.high - one.low, other.high - other.low));
  plan.draws = 3;
  EXPECT_THROW(noise_difference(a, units_of(source, plan, 0)), Error);
  plan = {.units = 16, .examples_per_unit = 1, .draws = 2};
  EXPECT_THROW(noise_difference(a, units_of(source, plan, 0)), Error);
}

}  // namespace
}  // namespace assay
