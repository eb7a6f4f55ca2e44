// Products between parts: against double loops, closed forms, and the cosine of means that shared
// noise misleads.
#include "assay/stats/part_products.h"

#include <gtest/gtest.h>

#include <cmath>

#include "assay/core/error.h"
#include "assay/stats/level_parts.h"
#include "assay/stats/moments.h"
#include "assay/stats/noise_accumulator.h"
#include "stats/sources.h"

namespace assay {
namespace {

using namespace testing;

constexpr int64_t kUnits = 24, kParts = 3, kSize = 40, kExamples = 4;

// Part k has the gradient G_k; its noise is √.5 (shared by all parts) + √.5 (its own), variance 1 a
// coordinate and example, so that the traces are kSize on the diagonal and kSize/2 beside it.
struct Parts {
  std::vector<Vector> mean;

  explicit Parts(double length) {
    Vector first = Vector::Zero(kSize), second = first, third = first;
    first[0] = length;
    second[0] = 0.6 * length;
    second[1] = 0.8 * length;
    third[0] = -length;  // opposes the first: alignment −1
    mean = {first, second, third};
  }
  std::vector<Vector> rows(uint64_t repetition) const {
    std::vector<Vector> out;
    const Seed stream = Seed(5).child(repetition);
    for (int64_t u = 0; u < kUnits; ++u) {
      const Vector shared = normal_vector(stream, u * 10, kSize);
      for (int64_t k = 0; k < kParts; ++k)
        out.push_back(mean[static_cast<size_t>(k)] +
                      std::sqrt(0.5 / kExamples) *
                          (shared + normal_vector(stream, u * 10 + 1 + k, kSize)));
    }
    return out;
  }
  Vector whole() const { return mean[0] + mean[1] + mean[2]; }
};

std::vector<double> gram_of(const std::vector<Vector>& rows) {
  std::vector<double> out;
  for (const Vector& a : rows)
    for (const Vector& b : rows) out.push_back(a.dot(b));
  return out;
}

PartProducts measured(const std::vector<Vector>& rows) {
  return part_products(gram_of(rows), std::ssize(rows) / kParts, kParts, kExamples);
}

TEST(PartProducts, EqualDoubleLoopsAndDeletedUnits) {
  const std::vector<Vector> rows = Parts(1).rows(0);
  const PartProducts products = measured(rows);
  const auto loop = [&](int64_t k, int64_t l) {
    double sum = 0;
    for (int64_t u = 0; u < kUnits; ++u)
      for (int64_t v = 0; v < kUnits; ++v)
        if (u != v)
          sum += rows[static_cast<size_t>(u * kParts + k)].dot(
              rows[static_cast<size_t>(v * kParts + l)]);
    return sum / (kUnits * (kUnits - 1));
  };
  double whole = 0, first = 0;
  for (int64_t k = 0; k < kParts; ++k) {
    first += loop(0, k);
    for (int64_t l = 0; l < kParts; ++l) {
      EXPECT_NEAR(products.signal[products.at(k, l)].value, loop(k, l), 1e-12);
      whole += loop(k, l);
    }
  }
  EXPECT_NEAR(products.signal[products.at(0, kParts)].value, first, 1e-12);
  EXPECT_NEAR(products.signal[products.at(kParts, kParts)].value, whole, 1e-12);

  std::vector<double> signal, noise;
  for (int64_t u = 0; u < kUnits; ++u) {
    std::vector<Vector> fewer = rows;
    fewer.erase(fewer.begin() + u * kParts, fewer.begin() + (u + 1) * kParts);
    const PartProducts less = measured(fewer);
    signal.push_back(less.signal[less.at(1, kParts)].value);
    noise.push_back(less.noise[less.at(0, 2)].value);
  }
  EXPECT_NEAR(products.signal[products.at(1, kParts)].standard_error,
              std::sqrt(jackknife_variance(signal)), 1e-10);
  EXPECT_NEAR(products.noise[products.at(0, 2)].standard_error,
              std::sqrt(jackknife_variance(noise)), 1e-10);
}

// H: E ⟨G_k, G_l⟩ = G_k·G_l, E noise = the planted traces; n = 400 measurements, 4.9 standard
// errors of each mean (level 1e-6). Coverage of the signal's and alignment's 95% intervals at least
// .925: binomial, P(fewer than 346 of 400) < 1e-6; power .999 against .80.
TEST(PartProducts, AreUnbiasedAndCovered) {
  const Parts parts(4);
  Moments opposed, with_whole, shared, own;
  int signal_covered = 0, alignment_covered = 0;
  const double product = parts.mean[1].dot(parts.whole());
  const double cosine = product / parts.mean[1].norm() / parts.whole().norm();
  const auto holds = [](const Estimate& e, double truth) {
    return e.low <= truth && truth <= e.high;
  };
  for (uint64_t repetition = 0; repetition < 400; ++repetition) {
    const PartProducts p = measured(parts.rows(repetition));
    opposed.add(p.signal[p.at(0, 2)].value);
    with_whole.add(p.signal[p.at(1, kParts)].value);
    shared.add(p.noise[p.at(0, 1)].value);
    own.add(p.noise[p.at(1, 1)].value);
    signal_covered += holds(p.signal[p.at(1, kParts)], product);
    alignment_covered += holds(p.alignment[p.at(1, kParts)], cosine);
  }
  EXPECT_NEAR(opposed.mean(), -16, 4.9 * opposed.standard_error());
  EXPECT_NEAR(with_whole.mean(), product, 4.9 * with_whole.standard_error());
  EXPECT_NEAR(shared.mean(), 0.5 * kSize, 4.9 * shared.standard_error());
  EXPECT_NEAR(own.mean(), kSize, 4.9 * own.standard_error());
  EXPECT_GE(signal_covered, 346);
  EXPECT_GE(alignment_covered, 346);
}

// Planted fault: the cosine of mean gradients. Two parts that oppose each other and share half
// their noise look aligned by it; ours says −1 or that nothing is resolved.
TEST(PartProducts, SharedNoiseDoesNotLookLikeAlignment) {
  const Parts weak(0.2);
  Moments ours, naive;
  int claimed = 0;
  for (uint64_t repetition = 0; repetition < 200; ++repetition) {
    const std::vector<Vector> rows = weak.rows(repetition);
    Vector first = Vector::Zero(kSize), third = first;
    for (int64_t u = 0; u < kUnits; ++u) {
      first += rows[static_cast<size_t>(u * kParts)];
      third += rows[static_cast<size_t>(u * kParts + 2)];
    }
    naive.add(first.dot(third) / first.norm() / third.norm());
    const PartProducts p = measured(rows);
    ours.add(p.signal[p.at(0, 2)].value);
    claimed += p.alignment[p.at(0, 2)].low > 0;
  }
  EXPECT_GT(naive.mean(), 0.2);  // the truth is −1
  EXPECT_NEAR(ours.mean(), -0.04, 4.9 * ours.standard_error());
  EXPECT_EQ(claimed, 0);
}

// Levels as parts: with every example at each of L levels, within + between is the variance of one
// example at a random level, which one-draw measurements at random levels give directly.
class LevelledSource : public GaussianSource {  // level l: G·(l + 1), noise variance (l + 1)²
 public:
  LevelledSource()
      : GaussianSource(Vector::Constant(20, 0.5), Vector::Ones(20), Vector::Zero(20)) {}
  int level_bins() const override { return 4; }
  Vector example_gradient(int64_t id, const Draw& draw) const override {
    const double u = uniform(draw.level, id, 0);
    const int level = draw.level_bin.value_or(static_cast<int>(4 * u));
    const double scale = level + 1;
    return scale * (mean + normal_vector(draw.pattern, id, 20));
  }
};

// |G_l|² = 5 (l + 1)², tr Σ_l = 20 (l + 1)²: within = 20 · 7.5, between = 5 (7.5 − 6.25), one and
// the same total as at random levels. n = 300 each, 4.9 standard errors (level 1e-6).
TEST(LevelParts, WithinAndBetweenAddUpToTheTotal) {
  LevelledSource source;
  LevelParts by_level(source);
  EXPECT_EQ(by_level.parts(), (std::vector<std::string>{"0", "1", "2", "3"}));
  Moments within, between, both, at_random, signal;
  for (int64_t i = 0; i < 300; ++i) {
    const auto ids = consecutive(i * 32, 32);
    const Seed seed = Seed(3).child(static_cast<uint64_t>(i));
    NoiseAccumulator levels(
        by_level, {.units = 16, .examples_per_unit = 2, .draws = 1, .by_part = true}, seed, 0);
    levels.add(ids);
    const PartProducts p = levels.products().at(0);
    within.add(p.within.value);
    between.add(p.between.value);
    both.add(p.within.value + p.between.value);
    signal.add(p.signal[p.at(4, 4)].value);
    at_random.add(measure_noise(source, ids, {.units = 16, .examples_per_unit = 2, .draws = 1},
                                seed.child("random"), 0)
                      .at("all")
                      .trace_total.value);
  }
  EXPECT_NEAR(within.mean(), 150, 4.9 * within.standard_error());
  EXPECT_NEAR(between.mean(), 6.25, 4.9 * between.standard_error());
  EXPECT_NEAR(signal.mean(), 5 * 6.25, 4.9 * signal.standard_error());
  const double error = std::hypot(both.standard_error(), at_random.standard_error());
  EXPECT_NEAR(both.mean(), at_random.mean(), 4.9 * error);
}

// Merged blocks are one measurement: products of two blocks equal those of their averaged units.
TEST(LevelParts, ProductsOfMergedBlocks) {
  LevelledSource source;
  LevelParts by_level(source);
  const NoisePlan plan{.units = 6, .examples_per_unit = 2, .draws = 1, .by_part = true};
  NoiseAccumulator blocks(by_level, plan, Seed(3), 0);
  std::vector<Vector> rows(24, Vector::Zero(20));
  for (int64_t block = 0; block < 2; ++block) {
    const auto ids = consecutive(block * 12, 12);
    blocks.add(ids);
    std::vector<float> out(80);
    for (int64_t u = 0; u < 6; ++u) {
      by_level.gradient_by_part(std::span(ids).subspan(static_cast<size_t>(2 * u), 2),
                                Draw::from(draw_seed(Seed(3), block * 6 + u, 0), 0), out);
      for (int64_t k = 0; k < 4; ++k)
        rows[static_cast<size_t>(u * 4 + k)] +=
            0.5 * Eigen::Map<Eigen::VectorXf>(out.data() + 20 * k, 20).cast<double>();
    }
  }
  const PartProducts merged = blocks.products().at(0);
  const PartProducts direct = part_products(gram_of(rows), 6, 4, 4);
  for (size_t i = 0; i < merged.signal.size(); ++i) {
    EXPECT_NEAR(merged.signal[i].value, direct.signal[i].value, 1e-4);
    EXPECT_NEAR(merged.noise[i].value, direct.noise[i].value, 1e-3);
  }
}

TEST(PartProducts, ImpossibleInputIsRefused) {
  EXPECT_THROW(part_products(std::vector<double>(16, 1.0), 4, 1, 1), Error);
  EXPECT_THROW(part_products(std::vector<double>(24, 1.0), 5, 1, 1), Error);
}

}  // namespace
}  // namespace assay
