// Span kernels, group layouts and Gram matrices against plain double arithmetic.
#include "assay/stats/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "assay/core/error.h"
#include "assay/noise/noise.h"
#include "assay/stats/gram.h"

namespace assay {
namespace {

std::vector<float> random(size_t size, int64_t id) {
  std::vector<float> out(size);
  normals(Seed(1), id, 0, out);
  return out;
}

double plain_dot(std::span<const float> a, std::span<const float> b,
                 std::span<const float> weight = {}) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double w = weight.empty() ? 1 : static_cast<double>(weight[i]);
    sum += w * static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return sum;
}

TEST(Kernels, AgreeWithDoubleArithmetic) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{1000},
                            size_t{1025}, size_t{100'003}}) {
    const std::vector<float> a = random(size, 1), b = random(size, 2);
    std::vector<float> weight = random(size, 3);
    for (float& w : weight) w = std::abs(w);
    const double scale = plain_dot(a, a) + 1e-30;
    EXPECT_NEAR(squared_norm(a), plain_dot(a, a), 1e-6 * scale);
    EXPECT_NEAR(dot(a, b), plain_dot(a, b), 1e-6 * scale);
    EXPECT_NEAR(weighted_dot(a, b, weight), plain_dot(a, b, weight), 2e-6 * scale);
    std::vector<float> accumulator = b;
    EXPECT_NEAR(accumulate_and_norm(accumulator, a), plain_dot(a, a), 1e-6 * scale);
    for (size_t i = 0; i < size; ++i) ASSERT_EQ(accumulator[i], b[i] + a[i]);
  }
}

// A sum in fp32 alone would stop growing at 2^24 equal terms.
TEST(Kernels, LongSumsKeepTheirDigits) {
  const std::vector<float> ones(30'000'000, 1.0f);
  EXPECT_EQ(squared_norm(ones), 30'000'000.0);
}

TEST(Kernels, DifferentLengthsAreRefused) {
  const std::vector<float> a(3), b(4);
  EXPECT_THROW(dot(a, b), Error);
  EXPECT_THROW(weighted_dot(a, a, b), Error);
}

const std::vector<Group> kNested = {
    {"trunk", 100, 5000}, {"layer.0", 200, 1500}, {"layer.1", 1500, 4000}, {"head", 5000, 6000}};

TEST(GroupLayout, NestedGroupsAreSumsOfSegments) {
  const GroupLayout layout(kNested, 6001);
  const std::vector<float> a = random(6001, 1), weight(6001, 0.5f);
  std::vector<float> accumulator(6001);
  std::vector<double> norms(kNested.size()), weighted(kNested.size());
  accumulate_and_norm(accumulator, a, layout, norms);
  EXPECT_EQ(accumulator, a);
  squared_norms(a, weight, layout, weighted);
  for (size_t i = 0; i < kNested.size(); ++i) {
    const std::span<const float> part =
        std::span(a).subspan(static_cast<size_t>(kNested[i].begin),
                             static_cast<size_t>(kNested[i].end - kNested[i].begin));
    EXPECT_NEAR(norms[i], plain_dot(part, part), 1e-6 * norms[i]);
    EXPECT_NEAR(weighted[i], 0.5 * norms[i], 1e-6 * norms[i]);
  }
}

TEST(GroupLayout, GroupsOutsideTheGradientAreRefused) {
  EXPECT_THROW(GroupLayout({{"head", 5, 11}}, 10), Error);
  EXPECT_THROW(GroupLayout({{"head", 5, 4}}, 10), Error);
}

class GramTest : public ::testing::TestWithParam<int64_t> {};

TEST_P(GramTest, AgreesWithDoubleArithmetic) {
  const int64_t m = GetParam(), size = 6001;
  const std::vector<float> data = random(static_cast<size_t>(m * size), 5);
  std::vector<float> weight = random(static_cast<size_t>(size), 6);
  for (float& w : weight) w = std::abs(w);
  const GroupLayout layout(kNested, size);
  const Rows rows = Rows::of(data, m, size);
  const std::vector<DiagonalMetric> metrics = {{"adam", weight}, {"euclidean", {}}};
  const auto plain = gram_matrices(rows, layout);
  const auto centred = centred_grams(rows, layout, metrics);
  for (size_t metric = 0; metric < metrics.size(); ++metric)
    for (size_t group = 0; group < kNested.size(); ++group) {
      const size_t begin = static_cast<size_t>(kNested[group].begin);
      const size_t length = static_cast<size_t>(kNested[group].end) - begin;
      const double scale = static_cast<double>(length);
      const auto row = [&](int64_t i) {
        return std::span(data).subspan(static_cast<size_t>(i * size) + begin, length);
      };
      const std::span<const float> all = metrics[metric].weight;
      const auto w = all.empty() ? all : all.subspan(begin, length);
      const CentredGram& c = centred[metric][group];
      double mean_squared = 0;
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < m; ++j) {
          const size_t entry = static_cast<size_t>(i * m + j);
          const double product = plain_dot(row(i), row(j), w);
          mean_squared += product / static_cast<double>(m * m);
          if (w.empty()) {
            ASSERT_NEAR(plain[group][entry], product, 1e-6 * scale);
          }
          // g_i·g_j = |ḡ|² + ḡ·d_i + ḡ·d_j + d_i·d_j
          ASSERT_NEAR(c.mean_squared + c.mean_dot[static_cast<size_t>(i)] +
                          c.mean_dot[static_cast<size_t>(j)] + c.centred[entry],
                      product, 2e-6 * scale);
        }
      }
      EXPECT_NEAR(c.mean_squared, mean_squared, 1e-6 * scale);
    }
}
INSTANTIATE_TEST_SUITE_P(Rows, GramTest, ::testing::Values(1, 2, 5, 8, 19));

TEST(Gram, EqualRowsHaveNoDeviationAtAll) {
  const std::vector<float> row = random(3000, 9);
  std::vector<float> data;
  for (int i = 0; i < 7; ++i) data.insert(data.end(), row.begin(), row.end());
  const auto gram = centred_grams(Rows::of(data, 7, 3000), GroupLayout({{"all", 0, 3000}}, 3000));
  for (const double entry : gram[0].centred) EXPECT_EQ(entry, 0);
  EXPECT_NEAR(gram[0].mean_squared, squared_norm(row), 1e-9 * squared_norm(row));
}

}  // namespace
}  // namespace assay
