// Moments, quantiles and intervals against SciPy 1.16.3 values written down.
#include "assay/stats/interval.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "assay/core/error.h"
#include "assay/stats/moments.h"

namespace assay {
namespace {

// scipy.stats.norm.ppf
TEST(Quantile, Normal) {
  const std::vector<std::pair<double, double>> table = {
      {1e-10, -6.361340902404056}, {0.025, -1.9599639845400545},
      {0.3, -0.5244005127080409},  {0.5, 0},
      {0.975, 1.959963984540054},  {0.999999, 4.753424308817087}};
  for (const auto& [probability, value] : table) {
    EXPECT_NEAR(normal_quantile(probability), value, 2e-14 * (1 + std::abs(value)));
    EXPECT_NEAR(normal_cdf(value), probability, 1e-14);
  }
  EXPECT_THROW(normal_quantile(0), Error);
  EXPECT_THROW(normal_quantile(1), Error);
}

// scipy.stats.t.ppf and t.cdf(1.3); for 1 degree tan(π (p − ½)), where SciPy is off by 2e-11.
TEST(Quantile, Student) {
  struct Row {
    double degrees, q8, q025, q6, cdf;
  };
  const std::vector<Row> table = {
      {1, -31830988.618379056, -12.70620473617471, 0.3249196962329063, 0.7912855998398474},
      {2.5, -1389.2275830316382, -3.574654842011878, 0.2814595127485476, 0.849756605364646},
      {7, -27.802283188119883, -2.3646242515927844, 0.2631668613520166, 0.8826160823038114},
      {63, -6.4231922561891786, -1.9983405425207414, 0.2544196312479758, 0.9008313796165124},
      {1000, -5.657912337660828, -1.9623390808264078, 0.25341451583949864, 0.9030497357922713}};
  for (const Row& row : table) {
    EXPECT_NEAR(student_quantile(1e-8, row.degrees) / row.q8, 1, 1e-11) << row.degrees;
    EXPECT_NEAR(student_quantile(0.025, row.degrees), row.q025, 1e-11 * std::abs(row.q025));
    EXPECT_NEAR(student_quantile(0.975, row.degrees), -row.q025, 1e-11 * std::abs(row.q025));
    EXPECT_NEAR(student_quantile(0.6, row.degrees), row.q6, 1e-12);
    EXPECT_NEAR(student_cdf(1.3, row.degrees), row.cdf, 1e-12);
    EXPECT_NEAR(student_cdf(-1.3, row.degrees), 1 - row.cdf, 1e-12);
  }
  EXPECT_EQ(student_quantile(0.5, 3), 0);
}

// scipy.stats.f.sf; and F(1, ν) is the square of Student's t.
TEST(Quantile, FisherTail) {
  EXPECT_NEAR(fisher_tail(3, 4, 60), 0.025276321398524582, 1e-13);
  EXPECT_NEAR(fisher_tail(1, 2, 5), 0.43120115037169215, 1e-13);
  EXPECT_NEAR(fisher_tail(10, 6, 30) / 4.483500613205821e-06, 1, 1e-10);
  EXPECT_NEAR(fisher_tail(0.2, 10, 100), 0.9958711366630647, 1e-13);
  EXPECT_NEAR(fisher_tail(1.3 * 1.3, 1, 7), 2 * (1 - student_cdf(1.3, 7)), 1e-13);
  EXPECT_EQ(fisher_tail(0, 3, 7), 1);
}

TEST(Moments, KeepTheirDigitsFarFromZero) {
  Moments moments;
  for (const double x : {4.0, 7.0, 13.0, 16.0}) moments.add(1e9 + x);
  EXPECT_EQ(moments.mean(), 1e9 + 10);
  EXPECT_NEAR(moments.variance(), 30, 1e-9);
  EXPECT_NEAR(moments.population_variance(), 22.5, 1e-9);
}

TEST(Moments, MergeEqualsAddingAll) {
  Moments all, left, right;
  for (int i = 0; i < 100; ++i) {
    const double x = std::sin(i) + i * 0.1;
    all.add(x);
    (i < 37 ? left : right).add(x);
  }
  left.merge(right);
  left.merge(Moments());
  EXPECT_EQ(left.count(), 100);
  EXPECT_NEAR(left.mean(), all.mean(), 1e-13);
  EXPECT_NEAR(left.variance(), all.variance(), 1e-12);
  EXPECT_TRUE(std::isnan(Moments().mean()));
}

// scipy.stats.ttest_1samp([1, 2, 4, 8, 16], 0).confidence_interval(.95): 6.2 ± 2.7763 · 2.7276.
TEST(Interval, MeanAndPairedDifference) {
  const std::vector<double> values = {1, 2, 4, 8, 16}, halves = {0.5, 1, 2, 4, 8};
  const Estimate mean = mean_interval(values);
  EXPECT_NEAR(mean.value, 6.2, 1e-14);
  EXPECT_NEAR(mean.low, -1.3731325632789186, 1e-10);
  EXPECT_NEAR(mean.high, 13.773132563278919, 1e-10);
  EXPECT_EQ(mean.n, 5);
  const Estimate difference = paired_difference(values, halves);
  EXPECT_NEAR(difference.value, 3.1, 1e-14);
  EXPECT_NEAR(difference.high - difference.low, (mean.high - mean.low) / 2, 1e-10);
  EXPECT_THROW(paired_difference(values, std::vector<double>{1}), Error);
  EXPECT_TRUE(std::isnan(mean_interval(std::vector<double>{3}).low));
}

TEST(Interval, JackknifeOfAMeanIsItsTInterval) {
  const std::vector<double> values = {1, 2, 4, 8, 16};
  std::vector<double> without;
  for (const double x : values) without.push_back((31 - x) / 4);
  const Estimate mean = mean_interval(values), jackknife = jackknife_interval(6.2, without);
  EXPECT_NEAR(jackknife.low, mean.low, 1e-12);
  EXPECT_NEAR(jackknife.high, mean.high, 1e-12);
}

}  // namespace
}  // namespace assay
