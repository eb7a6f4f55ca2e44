// Three levels of randomness: example, noise level or mask rate, noise or mask.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "assay/core/error.h"
#include "assay/stats/shared_draws.h"
#include "stats/repeat.h"

namespace assay {
namespace {

using namespace testing;

// x ~ N(0, S), d = 5; the level says how many coordinates are masked (1, 2 or 3, equally often),
// the pattern which. l = ½ |mask ∘ (W z − x)|², z = x ∘ (1 − mask); gradient (mask ∘ (W z − x)) zᵀ.
class MaskedSource : public ExampleSource {
 public:
  static constexpr int kSize = 5, kLevels = 3;
  Matrix weight, root;                                      // W; S = root rootᵀ
  std::vector<std::vector<unsigned>> masks = {{}, {}, {}};  // by level

  MaskedSource() : weight(kSize, kSize), root(kSize, kSize) {
    for (Eigen::Index i = 0; i < kSize; ++i) {
      weight.row(i) = 0.3 * normal_vector(Seed(21), i, kSize);
      root.row(i) = 0.6 * normal_vector(Seed(22), i, kSize);
    }
    for (unsigned mask = 1; mask < 1u << kSize; ++mask) {
      const int masked = std::popcount(mask);
      if (masked % 2 == 1) masks[static_cast<size_t>(masked / 2)].push_back(mask);
    }
  }
  int64_t size() const override { return kSize * kSize; }
  Vector example_gradient(int64_t id, const Draw& draw) const override {
    const Vector x = root * normal_vector(Seed(23), id, kSize);
    const auto& level = masks[static_cast<size_t>(kLevels * uniform(draw.level, id, 0))];
    const double u = uniform(draw.pattern, id, 0) * static_cast<double>(level.size());
    const unsigned mask = level[static_cast<size_t>(u)];
    const Vector z = visible(mask) * x;
    const Matrix gradient = error_of(mask) * x * z.transpose();
    return Eigen::Map<const Vector>(gradient.data(), size());
  }

  struct Truth {
    double signal = 0, data = 0, level = 0, pattern = 0;
  };
  /// E g_m·g_m′ of one example, for two masks, by Isserlis' theorem; summed over pairs of masks
  /// that agree in nothing, in the level, or are the same.
  Truth truth() const {
    const Matrix covariance = root * root.transpose();
    Matrix mean = Matrix::Zero(kSize, kSize);
    double independent = 0, same_level = 0, same = 0;
    for (size_t a = 0; a < kLevels; ++a) {
      for (const unsigned mask : masks[a]) {
        const double weight_a = 1.0 / kLevels / static_cast<double>(masks[a].size());
        mean += weight_a * error_of(mask) * covariance * visible(mask);
        same += weight_a * product(covariance, mask, mask);
        for (size_t b = 0; b < kLevels; ++b) {
          const double weight_b = 1.0 / static_cast<double>(masks[b].size());
          for (const unsigned other : masks[b]) {
            const double value = weight_a * weight_b * product(covariance, mask, other);
            independent += value / kLevels;
            same_level += a == b ? value : 0;
          }
        }
      }
    }
    const double signal = mean.squaredNorm();
    return {signal, independent - signal, same_level - independent, same - same_level};
  }

 private:
  Matrix visible(unsigned mask) const {
    Matrix out = Matrix::Identity(kSize, kSize);
    for (Eigen::Index i = 0; i < kSize; ++i)
      if (mask >> i & 1) out(i, i) = 0;
    return out;
  }
  // e = mask ∘ (W z − x) as a matrix applied to x.
  Matrix error_of(unsigned mask) const {
    const Matrix identity = Matrix::Identity(kSize, kSize);
    return (identity - visible(mask)) * (weight * visible(mask) - identity);
  }
  double product(const Matrix& s, unsigned one, unsigned two) const {
    const Matrix e1 = error_of(one), e2 = error_of(two), z1 = visible(one), z2 = visible(two);
    return (e1 * s * e2.transpose()).trace() * (z1 * s * z2).trace() +
           (e1 * s * z1).cwiseProduct(e2 * s * z2).sum() +
           (e1 * s * z2).cwiseProduct(e2 * s * z1).sum();
  }
};

struct LevelAverages {
  Averages two;
  Moments level, pattern;
  int covered = 0;
  void add(const NoiseEstimate& e, double share) {
    two.add(e);
    level.add(e.levels->trace_level.value);
    pattern.add(e.levels->trace_pattern.value);
    covered += e.levels->level_share.low <= share && share <= e.levels->level_share.high ? 1 : 0;
  }
};

void expect_unbiased(const LevelAverages& a, const MaskedSource::Truth& truth) {
  EXPECT_LT(std::abs(z_score(a.two.signal, truth.signal)), kLevel);
  EXPECT_LT(std::abs(z_score(a.two.data, truth.data)), kLevel);
  EXPECT_LT(std::abs(z_score(a.two.objective, truth.level + truth.pattern)), kLevel);
  EXPECT_LT(std::abs(z_score(a.level, truth.level)), kLevel);
  EXPECT_LT(std::abs(z_score(a.pattern, truth.pattern)), kLevel);
}

// Hypothesis: unbiased for the sums over all pairs of masks; n = 2,000 measurements of 16 × 2
// examples with 2 or 3 levels of 2 or 3 masks, level 1e-6. Power: the standard errors asked for
// below find errors of 30% in the levels' part and of 10% in the patterns'.
TEST(Levels, MaskedPredictionAgreesWithEnumeration) {
  MaskedSource source;
  const MaskedSource::Truth truth = source.truth();
  const double total = truth.data + truth.level + truth.pattern;
  EXPECT_GT(truth.level, 0.02 * total);
  EXPECT_GT(truth.pattern, 0.02 * total);
  for (const auto& [levels, patterns] : {std::pair<int64_t, int64_t>{2, 3}, {3, 2}}) {
    const NoisePlan plan{
        .units = 16, .examples_per_unit = 2, .draws = levels, .patterns = patterns};
    LevelAverages averages;
    repeat(source, plan, 2000, [&](const NoiseView& view) {
      averages.add(view.at("all"), truth.level / total);
      ASSERT_EQ(view.gradient_calls, 16 * 6);
    });
    expect_unbiased(averages, truth);
    EXPECT_LT(averages.level.standard_error(), 0.3 * truth.level / 4.9);
    EXPECT_LT(averages.pattern.standard_error(), 0.1 * truth.pattern / 4.9);
    EXPECT_GE(averages.covered, 1690);  // .89 at 16 units of heavy-tailed squares; .88 at 1e-6
  }
}

// E[g | x, s] = (W − I) x xᵀ + s² W: the levels' own part is |W|² Var s².
TEST(Levels, DenoisingSplitsLevelFromNoise) {
  DenoisingSource source;
  const DenoisingSource::Truth two = source.truth(-1, 0, 8);
  Moments squares;
  for (const double s : source.levels) squares.add(s * s);
  const double level = source.weight.squaredNorm() * squares.population_variance();
  const MaskedSource::Truth truth{two.signal, two.data, level, two.objective - level};
  const double share = level / (two.data + two.objective);
  LevelAverages averages;
  repeat(source, {.units = 24, .examples_per_unit = 4, .draws = 3, .patterns = 2}, 600,
         [&](const NoiseView& view) { averages.add(view.at("all"), share); });
  expect_unbiased(averages, truth);
  EXPECT_LT(averages.level.standard_error(), 0.1 * level);
}

// All levels and masks of a small population, enumerated: |example| × level × pattern as a table.
TEST(Levels, ExhaustiveRunGivesThePopulationsOwnSplit) {
  class Table : public ExampleSource {
   public:
    int64_t size() const override { return 7; }
    Vector example_gradient(int64_t id, const Draw& draw) const override {
      const auto level = static_cast<int64_t>(draw.level.value());
      const auto pattern = static_cast<int64_t>(draw.pattern.value());
      return normal_vector(Seed(1), id, 7) + normal_vector(Seed(2), id * 4 + level, 7) +
             normal_vector(Seed(3), (id * 4 + level) * 3 + pattern, 7);
    }
  } source;
  const NoisePlan plan{
      .units = 20, .examples_per_unit = 1, .draws = 4, .patterns = 3, .exhaustive = true};
  const NoiseEstimate found = measure_noise(source, consecutive(0, 20), plan, Seed(1), 0).at("all");
  double data = 0, level = 0, pattern = 0;
  for (Eigen::Index p = 0; p < 7; ++p) {
    Moments examples;
    for (int64_t id = 0; id < 20; ++id) {
      Moments levels;
      for (uint64_t i = 0; i < 4; ++i) {
        Moments patterns;
        for (uint64_t j = 0; j < 3; ++j) {
          Draw draw;
          draw.level = Seed(i);
          draw.pattern = Seed(j);
          patterns.add(source.example_gradient(id, draw)[p]);
        }
        levels.add(patterns.mean());
        pattern += patterns.population_variance() / 80;
      }
      examples.add(levels.mean());
      level += levels.population_variance() / 20;
    }
    data += examples.population_variance();
  }
  EXPECT_NEAR(found.trace_data.value, data, 2e-6 * data);
  EXPECT_NEAR(found.levels->trace_level.value, level, 2e-6 * level);
  EXPECT_NEAR(found.levels->trace_pattern.value, pattern, 2e-6 * pattern);
  EXPECT_NEAR(found.trace_objective.value, level + pattern, 2e-6 * (level + pattern));
  EXPECT_EQ(found.levels->level_share.low, found.levels->level_share.high);
}

TEST(Levels, ImpossiblePlansAreRefused) {
  GaussianSource source = gaussian(10, 1, 1);
  const auto run = [&](const NoisePlan& plan) {
    measure_noise(source, consecutive(0, plan.units), plan, Seed(1), 0);
  };
  EXPECT_THROW(run({.units = 8, .examples_per_unit = 1, .patterns = 0}), Error);
  EXPECT_THROW(run({.units = 8, .examples_per_unit = 1, .level_bin = 1, .patterns = 2}), Error);
  EXPECT_THROW(run({.units = 8, .examples_per_unit = 1, .population = 7}), Error);
}

// The planted fault: one level for the whole batch, or one noise vector for all examples.
class SharedLevel : public DenoisingSource {
 public:
  Vector example_gradient(int64_t id, const Draw& draw) const override {
    Draw shared = draw;
    shared.level_bin = static_cast<int>(3 * uniform(draw.level, 0, 0));
    return DenoisingSource::example_gradient(id, shared);
  }
};
class SharedNoise : public GaussianSource {
 public:
  using GaussianSource::GaussianSource;
  Vector example_gradient(int64_t id, const Draw& draw) const override {
    return mean + data.cwiseSqrt().cwiseProduct(normal_vector(Seed(17), id, mean.size())) +
           objective.cwiseSqrt().cwiseProduct(normal_vector(draw.pattern, 0, mean.size()));
  }
};

TEST(SharedDraws, ADrawSharedByAllExamplesIsRefusedAndWouldHaveMisled) {
  const GaussianSource base = gaussian(100, 2, 0.5);
  SharedNoise noise(base.mean, base.data, base.objective);
  SharedLevel level;
  for (GradientSource* source :
       {static_cast<GradientSource*>(&noise), static_cast<GradientSource*>(&level)}) {
    try {
      require_nested(*source, consecutive(0, 48), Seed(3), 0);
      FAIL() << "a crossed design passed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "stats.crossed");
    }
  }
  const SharedDraws found = measure_shared_draws(noise, consecutive(0, 48), Seed(3), 0);
  EXPECT_NEAR(found.shared.value, 50, 15);  // all of tr Σ_objective, from 4 pairs of draws
  Averages averages;
  repeat(noise, {.units = 12, .examples_per_unit = 4, .draws = 2}, 50,
         [&](const NoiseView& view) { averages.add(view.at("all")); });
  EXPECT_GT(averages.objective.mean(), 3 * 50);
}

// The planted faults: levels spread evenly over the batch, and noise that is antithetic in pairs.
// Each example alone is sound. Of 48 N(0, 1) levels the mean varies by 1/48, of spread ones hardly.
class SpreadLevels : public GaussianSource {
 public:
  bool antithetic = false;
  using GaussianSource::GaussianSource;
  void gradient(std::span<const int64_t> examples, const Draw& draw,
                std::span<float> out) override {
    Vector sum = Vector::Zero(size());
    const double n = static_cast<double>(examples.size()), shift = uniform(draw.level, 0, 0);
    for (size_t i = 0; i < examples.size(); ++i) {
      Draw own = draw;
      own.level_bin = static_cast<int>(8 * std::fmod((static_cast<double>(i) + shift) / n, 1.0));
      if (antithetic && i % 2 == 1)
        sum += 2 * mean - example_gradient(examples[i - 1], draw);
      else
        sum += example_gradient(examples[i], own) * (1 + .5 * *own.level_bin);
    }
    for (size_t p = 0; p < out.size(); ++p)
      out[p] = static_cast<float>(sum[static_cast<Eigen::Index>(p)] / n);
  }
};

TEST(Coupling, SpreadAndAntitheticLevelsAreRefused) {
  const GaussianSource base = gaussian(100, 2, 0.5);
  for (const bool antithetic : {false, true}) {
    SpreadLevels source(base.mean, base.data, base.objective);
    source.antithetic = antithetic;
    EXPECT_GT(measure_coupling(source, consecutive(0, 48), Seed(3), 0), .01);
    try {
      require_nested(source, consecutive(0, 48), Seed(3), 0);
      FAIL() << "a coupled batch passed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "stats.coupled");
    }
  }
  GaussianSource sound = gaussian(30, 2, 0.5);
  EXPECT_LT(measure_coupling(sound, consecutive(0, 48), Seed(3), 0), 1e-6);
}

// Hypothesis: p-values of sound sources are uniform; n = 300, of which 5% lie below .05: at most 41
// at level 1e-6, and none below 1e-6.
TEST(SharedDraws, DrawsOfTheirOwnPass) {
  GaussianSource noise = gaussian(30, 2, 0.5);
  DenoisingSource denoising;
  for (GradientSource* source :
       {static_cast<GradientSource*>(&noise), static_cast<GradientSource*>(&denoising)}) {
    int low = 0;
    for (int64_t i = 0; i < 300; ++i) {
      const double p = measure_shared_draws(*source, consecutive(24 * i, 24),
                                            Seed(7).child(static_cast<uint64_t>(i)), 0, 2)
                           .p_value;
      low += p < 0.05 ? 1 : 0;
      EXPECT_GT(p, 1e-6);
    }
    EXPECT_LE(low, 41);
    EXPECT_NO_THROW(require_nested(*source, consecutive(0, 48), Seed(3), 0));
  }
  // Without noise of its own nothing can be shared.
  QuadraticSource quadratic(6);
  EXPECT_EQ(measure_shared_draws(quadratic, consecutive(0, 16), Seed(1), 0).p_value, 1);
}

}  // namespace
}  // namespace assay
