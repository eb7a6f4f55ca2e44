// The joint table: entropies against hand computation, scenes against the table.
#include "assay/data/world/joint_table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "assay/core/error.h"
#include "assay/data/world/scene.h"
#include "world/statistics.h"

namespace assay::world {
namespace {

double plogp(double p) { return -p * std::log2(p); }

TEST(JointTable, CoupledPairHasTheEntropyComputedByHand) {
  const JointTable table = default_table(0.8);
  // Given hue, the matched shape has .8 + .2/4 = .85 and the other three .05 each.
  const double shape_given_hue = plogp(0.85) + 3 * plogp(0.05);
  EXPECT_NEAR(table.mutual_information(shape, hue), 2 - shape_given_hue, 1e-12);
  EXPECT_NEAR(table.inferable_bits(hue), 2 - shape_given_hue, 1e-12);
  const double light_given_orientation = plogp(0.825) + 7 * plogp(0.025);
  EXPECT_NEAR(table.inferable_bits(light), 3 - light_given_orientation, 1e-12);
  EXPECT_NEAR(table.inferable_bits(x), 0, 1e-12);
  EXPECT_NEAR(table.entropy(), 23 - 2 * (2 - shape_given_hue) - (3 - light_given_orientation),
              1e-9);
}

TEST(JointTable, TwinWithoutCouplingHasTheSameMarginalsAndNothingToInfer) {
  const JointTable coupled = default_table(0.9), twin = default_table(0);
  EXPECT_NEAR(twin.entropy(), 23, 1e-9);
  for (int factor = 0; factor < factor_count; ++factor) {
    EXPECT_NEAR(twin.inferable_bits(factor), 0, 1e-9);
    const auto first = coupled.marginal(factor), second = twin.marginal(factor);
    for (size_t value = 0; value < first.size(); ++value)
      EXPECT_NEAR(first[value], second[value], 1e-12);
  }
}

TEST(JointTable, RefusesWhatIsNoDistribution) {
  const auto code = [](std::vector<JointTable::Block> blocks) {
    try {
      JointTable({2, 2}, std::move(blocks));
    } catch (const Error& error) {
      return error.code();
    }
    return std::string("none");
  };
  EXPECT_EQ(code({{{0, 1}, {.25, .25, .25, .25}}}), "none");
  EXPECT_EQ(code({{{0, 1}, {.25, .25, .25, .3}}}), "config.joint_table");
  EXPECT_EQ(code({{{0, 1}, {.5, .5}}}), "config.joint_table");
  EXPECT_EQ(code({{{0}, {1.5, -.5}}, {{1}, {.5, .5}}}), "config.joint_table");
  EXPECT_EQ(code({{{0}, {.5, .5}}}), "config.joint_table");
  EXPECT_THROW(coupled_pair(0, 4, 1, 6, .5), Error);
}

/// χ² score of the joint frequencies of two factors against the table.
double pair_score(const JointTable& table, const std::vector<Scene>& scenes, FactorId first,
                  FactorId second) {
  const int rows = table.cardinality(first), columns = table.cardinality(second);
  std::vector<double> counts(static_cast<size_t>(rows * columns), 0);
  for (const Scene& scene : scenes)
    counts[static_cast<size_t>(scene[first] * columns + scene[second])] += 1;
  double chi_square = 0;
  Scene cell;
  const std::vector<int> pair{first, second};
  for (int a = 0; a < rows; ++a)
    for (int b = 0; b < columns; ++b) {
      cell.values[first] = a;
      cell.values[second] = b;
      const double expected =
          static_cast<double>(scenes.size()) * table.probability(cell.values, pair);
      const double count = counts[static_cast<size_t>(a * columns + b)];
      chi_square += (count - expected) * (count - expected) / expected;
    }
  return test::chi_square_score(chi_square, rows * columns - 1);
}

// H0: scenes follow the table. n = 200,000 scenes, all 28 pairs of factors, level 1e-6 in all.
// Power above .99 against a cell of shape–hue (p = .027) that is wrong by 20% (non-centrality 212,
// 31 df).
TEST(Scene, PairsOfFactorsFollowTheJointTable) {
  for (const double coupling : {0.0, 0.8}) {
    const JointTable table = default_table(coupling);
    std::vector<Scene> scenes;
    for (int64_t i = 0; i < 200000; ++i) scenes.push_back(draw_scene(table, Seed(11), i));
    const double critical = test::normal_quantile(1e-6 / 56);
    for (int first = 0; first < factor_count; ++first)
      for (int second = first + 1; second < factor_count; ++second)
        EXPECT_LT(
            pair_score(table, scenes, static_cast<FactorId>(first), static_cast<FactorId>(second)),
            critical)
            << "coupling " << coupling << ", " << factor_specs[static_cast<size_t>(first)].name
            << " and " << factor_specs[static_cast<size_t>(second)].name;
  }
}

}  // namespace
}  // namespace assay::world
