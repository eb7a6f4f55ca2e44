// Slopes within the trained range: exact where losses are a plane in logarithms, covered where they
// are noisy.
#include "assay/law/study/local_slopes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "law/laws.h"

namespace assay {
namespace {

using namespace testing;

std::vector<Observation> plane(double size, double data, double sigma, Normals& normal) {
  std::vector<Observation> rows;
  for (const double n : decades(1e5, 1.2, 4))
    for (const double d : decades(6e3, 1.5, 4)) {
      Observation row;
      row.model_size = n;
      row.data_size = d;
      row.loss = 40 * std::pow(n, -size) * std::pow(d, -data) * std::exp(sigma * normal());
      rows.push_back(row);
    }
  return rows;
}

TEST(LocalSlopes, OfAPlaneAreItsExponents) {
  Normals normal(1);
  const auto slopes = local_slopes(plane(0.03, 0.25, 0, normal));
  ASSERT_TRUE(slopes);
  EXPECT_NEAR(slopes->size.value, 0.03, 1e-12);
  EXPECT_NEAR(slopes->data.value, 0.25, 1e-12);
  EXPECT_NEAR(slopes->data.high - slopes->data.low, 0, 1e-10);
  EXPECT_EQ(slopes->rows, 16);
}

// The independent computation is one-dimensional: in a crossed design the other column is
// orthogonal, so the slope is that of simple regression.
TEST(LocalSlopes, AreThoseOfSimpleRegressionInACrossedDesign) {
  Normals normal(2);
  const std::vector<Observation> rows = plane(0.1, 0.3, 0.05, normal);
  double mean = 0, top = 0, bottom = 0;
  for (const Observation& row : rows) mean += std::log(row.data_size) / 16;
  for (const Observation& row : rows) {
    top -= (std::log(row.data_size) - mean) * std::log(row.loss);
    bottom += std::pow(std::log(row.data_size) - mean, 2);
  }
  EXPECT_NEAR(local_slopes(rows)->data.value, top / bottom, 1e-12);
}

// H0: coverage 95%. n = 2,000 tables; outside [.925, .972] with probability below 1e-6 (binomial,
// exact). HC3 is known to be conservative in small tables; classical errors divided by two cover
// 66%.
TEST(LocalSlopes, IntervalsCover) {
  Normals normal(3);
  int covered = 0;
  for (int k = 0; k < 2000; ++k) {
    const auto slopes = local_slopes(plane(0.05, 0.2, 0.02, normal));
    covered += slopes->data.low <= 0.2 && 0.2 <= slopes->data.high;
  }
  EXPECT_GE(covered, 1850);
  EXPECT_LE(covered, 1944);
}

// Four checkpoints of each run, which share its luck: the same test, and taken as rows of their own
// the intervals of the slope of N cover less than .8.
TEST(LocalSlopes, OfCheckpointsCover) {
  Normals normal(5);
  int size = 0, data = 0, alone = 0;
  for (int k = 0; k < 1000; ++k) {
    std::vector<Observation> rows;
    for (const double n : decades(1e5, 1.2, 12)) {
      const double luck = 0.02 * normal();
      for (const double d : decades(6e3, 1.5, 4)) {
        Observation row;
        row.model_size = n;
        row.data_size = d;
        row.run = std::to_string(n);
        row.loss = 40 * std::pow(n, -0.05) * std::pow(d, -0.2) * std::exp(luck + 0.01 * normal());
        rows.push_back(row);
      }
    }
    const auto slopes = local_slopes(rows);
    EXPECT_EQ(slopes->runs, 12);
    size += slopes->size.low <= 0.05 && 0.05 <= slopes->size.high;
    data += slopes->data.low <= 0.2 && 0.2 <= slopes->data.high;
    for (Observation& row : rows) row.run.clear();
    const auto apart = local_slopes(rows);
    alone += apart->size.low <= 0.05 && 0.05 <= apart->size.high;
  }
  for (const int covered : {size, data}) {
    EXPECT_GE(covered, 912);  // .95 less 5.5 deviations
    EXPECT_LE(covered, 990);
  }
  EXPECT_LT(alone, 850);
}

TEST(LocalSlopes, AreNotToldByALineOrAFewRows) {
  Normals normal(4);
  std::vector<Observation> rows = plane(0.1, 0.3, 0.01, normal);
  std::vector<Observation> line;
  for (const Observation& row : rows)
    if (line.size() < 16) {
      line.push_back(row);
      line.back().data_size = 20 * row.model_size;
    }
  EXPECT_FALSE(local_slopes(line));
  rows[0].status = ObservationStatus::diverged;
  EXPECT_EQ(local_slopes(rows)->rows, 15);
  rows.resize(6);
  EXPECT_FALSE(local_slopes(rows));  // five measured ones
}

}  // namespace
}  // namespace assay
