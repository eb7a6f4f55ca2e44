// Negative controls: planted faults must be caught by the checks that the sound estimator passes.
#include <gtest/gtest.h>

#include "assay/core/error.h"
#include "stats/repeat.h"

namespace assay {
namespace {

using namespace testing;

// The planted faults below must be caught by the very check that the sound estimator passes: |z| of
// the mean over 300 measurements against the truth, level 1e-6.
struct Scores {
  double signal, objective, total;
};
Scores scores(GradientSource& source, const NoisePlan& plan) {
  Averages averages;
  repeat(source, plan, 300, [&](const NoiseView& view) { averages.add(view.at("all")); });
  return {z_score(averages.signal, 2), z_score(averages.objective, 50),
          z_score(averages.total, 150)};
}
const NoisePlan kFaultPlan{.units = 12, .examples_per_unit = 1, .draws = 2};

TEST(PlantedFault, TheSoundEstimatorPasses) {
  GaussianSource source = gaussian(100, 2, 0.5);
  const Scores z = scores(source, kFaultPlan);
  EXPECT_LT(std::abs(z.signal), kLevel);
  EXPECT_LT(std::abs(z.objective), kLevel);
  EXPECT_LT(std::abs(z.total), kLevel);
}

TEST(PlantedFault, PlugInSquaredNormIsCaught) {
  GaussianSource source = gaussian(100, 2, 0.5);
  NoisePlan plan = kFaultPlan;
  plan.exhaustive = true;  // |ḡ|² of a sample taken for the population's
  Averages averages;
  for (int64_t i = 0; i < 300; ++i) {
    averages.add(measure_noise(source, consecutive(12 * i, 12), plan, Seed(1), 0).at("all"));
  }
  EXPECT_GT(z_score(averages.signal, 2), 10);
}

class SameDrawTwice : public GaussianSource {
 public:
  using GaussianSource::GaussianSource;
  Vector example_gradient(int64_t id, const Draw&) const override {
    return GaussianSource::example_gradient(id, Draw::from(Seed(1), 0));
  }
};

TEST(PlantedFault, TheSameDrawUsedTwiceIsCaught) {
  const GaussianSource base = gaussian(100, 2, 0.5);
  SameDrawTwice source(base.mean, base.data, base.objective);
  Averages averages;
  repeat(source, kFaultPlan, 300, [&](const NoiseView& view) { averages.add(view.at("all")); });
  EXPECT_EQ(averages.objective.mean(), 0);  // of 50
  EXPECT_NE(averages.data.mean(), 0);
}

// Every datum present under two ids, in different units: the estimator cannot know, |G|² is too
// large.
class Duplicated : public GaussianSource {
 public:
  using GaussianSource::GaussianSource;
  Vector example_gradient(int64_t id, const Draw& draw) const override {
    return GaussianSource::example_gradient(id / 12 * 12 + id % 6, draw);
  }
};

TEST(PlantedFault, DuplicatedExamplesAreCaughtOrRefused) {
  const GaussianSource base = gaussian(100, 2, 0.5);
  Duplicated source(base.mean, base.data, base.objective);
  EXPECT_GT(scores(source, kFaultPlan).signal, 10);
  std::vector<int64_t> ids = consecutive(0, 12);
  ids[11] = 0;
  EXPECT_THROW(measure_noise(source, ids, kFaultPlan, Seed(1), 0), Error);
}

}  // namespace
}  // namespace assay
