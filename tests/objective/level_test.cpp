// Laws of noise levels and their bins.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/objective/fixture.h"

namespace assay {
namespace {

constexpr int kBins = 8;

std::shared_ptr<Corrupt> level_part(const std::string& law) {
  Setting setting;
  setting.level_bins = kBins;
  const Node table = resolve_part("corrupt", parse_toml("kind = \"level\"\nlaw = " + law, "test"),
                                  Modality::image, "corrupt");
  return make_part<Corrupt>(table, setting, "corrupt");
}

std::vector<double> sample(const Corrupt& corrupt, int64_t n, std::optional<int> bin) {
  std::vector<int64_t> ids(static_cast<size_t>(n)), replicas(ids.size(), 0);
  std::iota(ids.begin(), ids.end(), bin.value_or(-1) * n + n);
  Draw draw = Draw::from(Seed(4), 0);
  draw.level_bin = bin;
  const NoiseField field = corrupt.field({ids, replicas}, draw, at::TensorOptions(at::kDouble));
  const auto* values = field.level.data_ptr<double>();
  for (const int drawn : field.level_bin) EXPECT_TRUE(!bin || drawn == *bin);
  return {values, values + n};
}

// Kolmogorov-Smirnov distance to a law given by its distribution function.
double distance(std::vector<double> values, const std::function<double(double)>& probability) {
  std::sort(values.begin(), values.end());
  double worst = 0;
  const auto n = static_cast<double>(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const double p = probability(values[i]), below = static_cast<double>(i) / n;
    worst = std::max({worst, p - below, below + 1 / n - p});
  }
  return worst;
}

// Φ of the logit of the noise share, whose mean is +.8 where that of the signal share is -.8.
double jit_law(double s) {
  const double z = (std::log(s / (1 - s)) - 0.8) / 0.8;
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

// H0: levels follow the law. Two-sided KS, n = 20,000, level 1e-6: reject above
// sqrt(ln(2e6) / 2n) = .01905. A shift of the mean by .08 (.1 sd) gives distance .040: power >
// .999.
TEST(Levels, FollowTheLaw) {
  const double limit = std::sqrt(std::log(2e6) / (2 * 20000.0));
  EXPECT_LT(distance(sample(*level_part("{ kind = \"logit-normal\" }"), 20000, {}), jit_law),
            limit);
  EXPECT_LT(
      distance(sample(*level_part("{ kind = \"uniform\", low = 0.2, high = 0.7 }"), 20000, {}),
               [](double s) { return (s - 0.2) / 0.5; }),
      limit);
}

// The same test on 8 bins of 2,500 draws each. Stratified draws can only lower the distance.
TEST(Levels, UniformlyMixedBinsAreTheLaw) {
  const auto part = level_part("{ kind = \"logit-normal\" }");
  std::vector<double> all;
  double above = 0;
  for (int bin = 0; bin < kBins; ++bin) {
    std::vector<double> values = sample(*part, 2500, bin);
    for (const double s : values) {
      EXPECT_GT(s, above);
      EXPECT_GE(jit_law(s), bin / 8.0 - 1e-9);
      EXPECT_LE(jit_law(s), (bin + 1) / 8.0 + 1e-9);
    }
    above = *std::max_element(values.begin(), values.end());  // bin 0 is the cleanest
    all.insert(all.end(), values.begin(), values.end());
  }
  EXPECT_LT(distance(all, jit_law), std::sqrt(std::log(2e6) / (2 * 20000.0)));
}

TEST(Levels, FieldIsAStraightLineBetweenImageAndNoise) {
  const auto part = level_part("{ kind = \"uniform\" }");
  const Batch batch = make_batch({1, 2}, image_data());
  const NoiseField field =
      part->field(row_keys(batch), Draw::from(Seed(1), 0), at::TensorOptions(at::kFloat));
  EXPECT_LT(largest(field.alpha + field.sigma - 1), 1e-6);
  EXPECT_TRUE(at::equal(field.sigma.view(-1), field.level));
  const Tensor ones = at::ones({2, 16, 48});
  const Tensor z = corrupt_tokens(field, ones, row_keys(batch), Seed(3)).tokens;
  const Tensor noise =
      normal_rows(Seed(3), row_keys(batch), {16, 48}, at::TensorOptions(at::kFloat));
  EXPECT_LT(largest(z - (field.alpha + field.sigma * noise)), 1e-6);
}

}  // namespace
}  // namespace assay
