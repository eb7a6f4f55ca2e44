// Readouts on features whose information is known.
#include "toy.h"

#include <numbers>

#include "assay/measure/probe/readout.h"
#include "assay/measure/probe/reduction.h"

namespace assay::probe {
namespace {

constexpr int64_t kTrain = 1000, kValidation = 300, kTest = 1000, kAll = 2300;
constexpr int64_t kClasses = 8;

Tensor noise(const std::string& stream, int64_t rows, int64_t columns) {
  return toy::normal(Seed(21).child(stream), 0, 0, rows * columns).view({rows, columns});
}

/// Uniform labels of one factor. [N, 1]
Tensor labels(const std::string& stream, int64_t classes = kClasses) {
  Tensor out = torch::empty({kAll, 1}, torch::kInt64);
  for (int64_t i = 0; i < kAll; ++i)
    out[i][0] =
        static_cast<int64_t>(uniform(Seed(22).child(stream), i, 0) * static_cast<double>(classes));
  return out;
}

Task task(const Tensor& values, std::vector<int64_t> cardinality) {
  std::vector<std::string> names;
  for (size_t k = 0; k < cardinality.size(); ++k) names.push_back(fmt::format("f{}", k));
  return {names, values, ClassBlocks(std::move(cardinality)), kTrain, kValidation, kTest};
}

/// Bits of factor k with its interval, H = log2(classes).
Estimate bits(const Readout& readout, double entropy, int64_t k = 0) {
  const Tensor column = readout.test.log2_probability.select(1, k).contiguous();
  std::vector<double> values(column.data_ptr<double>(), column.data_ptr<double>() + column.numel());
  for (double& value : values) value += entropy;
  return mean_interval(values);
}

/// One-sided test of level 1e-6 that the mean is at most `bound`.
bool at_most(const Estimate& estimate, double bound) {
  return estimate.value <= bound + 4.76 * estimate.standard_error;
}

Tensor indicators(const Tensor& values, int64_t classes = kClasses) {
  return torch::one_hot(values.select(1, 0), classes).to(torch::kFloat32);
}

TEST(LinearReadout, RecoversAPlantedCode) {
  const Tensor y = labels("code");
  const Tensor features =
      indicators(y).matmul(noise("mix", kClasses, 32)) + .01 * noise("e", kAll, 32);
  const Readout readout = linear_readout({{"planted", features}}, task(y, {kClasses}), {});
  EXPECT_GT(bits(readout, 3).value, 2.95);
  EXPECT_DOUBLE_EQ(readout.test.correct.mean().item<double>(), 1);
  EXPECT_EQ(readout.chosen[0].substr(0, 7), "planted");
}

// H0: bits <= 0 for labels that features know nothing of (one-sided, level 1e-6, n = 1000). A leak
// of .05 bits would be .05 / .01 standard errors away.
TEST(LinearReadout, ShuffledLabelsGiveNoBits) {
  const Tensor features = indicators(labels("code")).matmul(noise("mix", kClasses, 32));
  const Readout readout =
      linear_readout({{"planted", features}}, task(labels("other"), {kClasses}), {});
  EXPECT_TRUE(at_most(bits(readout, 3), 0)) << bits(readout, 3).value;
  EXPECT_GT(bits(readout, 3).value, -.05);
}

TEST(LinearReadout, LabelsInTestFeaturesAloneAreNotUsed) {
  const Tensor y = labels("code");
  Tensor features = noise("free", kAll, 16);
  Tensor leak = torch::zeros({kAll, kClasses});
  leak.narrow(0, kTrain + kValidation, kTest)
      .copy_(indicators(y).narrow(0, kTrain + kValidation, kTest));
  features = torch::cat({features, leak}, 1);
  const Reduction reduction(features.narrow(0, 0, kTrain), 64, Scaling::each, Seed(1));
  const Readout readout =
      linear_readout({{"leak", reduction.apply(features)}}, task(y, {kClasses}), {});
  EXPECT_TRUE(at_most(bits(readout, 3), 0)) << bits(readout, 3).value;
}

// Two classes at ±μ in one of 8 directions, unit noise: the posterior is the logistic of 2μx, which
// the readout can represent, so its bits are those of Bayes less the cost of fitting (about (d +
// 1)/(2 n ln 2)).
TEST(LinearReadout, GaussianClassesReachTheBayesRate) {
  const double mu = 1;
  const Tensor y = labels("two", 2);
  Tensor features = noise("gauss", kAll, 8);
  features.select(1, 0) += (2 * y.select(1, 0).to(torch::kFloat32) - 1) * mu;
  const Readout readout = linear_readout({{"x", features}}, task(y, {2}), {});
  const Tensor x = features.select(1, 0).narrow(0, kTrain + kValidation, kTest).to(torch::kFloat64);
  const Tensor sign =
      2 * y.select(1, 0).narrow(0, kTrain + kValidation, kTest).to(torch::kFloat64) - 1;
  const Tensor bayes = torch::log_sigmoid(2 * mu * x * sign).div(std::numbers::ln2).contiguous();
  const Tensor found = readout.test.log2_probability.select(1, 0);
  // Paired by example, so the luck of the test set cancels.
  EXPECT_NEAR((bayes - found).mean().item<double>(), 0, .02);
  // ∫ of the closed form: 1 − E log2(1 + exp(−2μx)) = .4859 bits at μ = 1 (quadrature), n = 1000.
  const Estimate estimate = bits(readout, 1);
  EXPECT_NEAR(estimate.value, .4859, 4.9 * estimate.standard_error + .01);
}

TEST(LinearReadout, ChoosesTheLayerThatKnows) {
  const Tensor y = labels("code");
  const Tensor blind = noise("blind", kAll, 16);
  const Tensor seeing =
      indicators(y).matmul(noise("mix", kClasses, 16)) + .1 * noise("e", kAll, 16);
  const Readout readout =
      linear_readout({{"blind", blind}, {"seeing", seeing}}, task(y, {kClasses}), {});
  EXPECT_EQ(readout.chosen[0].substr(0, 6), "seeing");
}

TEST(LinearReadout, AFactorIsReadTheSameWhateverStandsBesideIt) {
  const Tensor y = labels("code"), other = labels("other", 5);
  const Tensor features = indicators(y).matmul(noise("mix", kClasses, 16)) + noise("e", kAll, 16);
  const Readout alone = linear_readout({{"x", features}}, task(y, {kClasses}), {});
  const Readout beside =
      linear_readout({{"x", features}}, task(torch::cat({other, y}, 1), {5, kClasses}), {});
  EXPECT_NEAR(bits(alone, 3).value, bits(beside, 3, 1).value, 1e-4);
}

TEST(LinearReadout, UnknownLabelsAreLeftOut) {
  Tensor y = labels("code");
  const Tensor features =
      indicators(y).matmul(noise("mix", kClasses, 16)) + .1 * noise("e", kAll, 16);
  y.slice(0, 0, kAll, 3).fill_(-1);
  const Readout readout = linear_readout({{"x", features}}, task(y, {kClasses}), {});
  const Tensor found = readout.test.log2_probability.select(1, 0);
  EXPECT_TRUE(found.isnan()
                  .eq(y.select(1, 0).narrow(0, kTrain + kValidation, kTest).lt(0))
                  .all()
                  .item<bool>());
  EXPECT_GT(found.nanmean().item<double>() + 3, 2.5);
}

/// 16 tokens with their position as features; one holds a mark, and the factor is where it stands.
/// The mean over tokens knows that there is a mark, not where.
struct Marked {
  Tensor tokens, y;
};
Marked marked() {
  const Tensor y = labels("place", 16);
  const Tensor position = torch::eye(16).unsqueeze(0).expand({kAll, 16, 16});
  const Tensor mark = indicators(y, 16).unsqueeze(2) * 4;
  return {torch::cat({position, mark}, 2).contiguous(), y};
}

TEST(AttentiveReadout, BeatsLinearOnPositionCode) {
  const auto [tokens, y] = marked();
  const Readout attentive = attentive_readout(tokens, task(y, {16}), {}, Seed(4));
  const Readout linear = linear_readout({{"mean", tokens.mean(1)}}, task(y, {16}), {});
  EXPECT_GT(bits(attentive, 4).value, 3);
  EXPECT_TRUE(at_most(bits(linear, 4), 0));
}

TEST(AttentiveReadout, ShuffledLabelsGiveNoBits) {
  const auto [tokens, y] = marked();
  const Readout readout = attentive_readout(tokens, task(labels("other", 16), {16}), {}, Seed(4));
  EXPECT_TRUE(at_most(bits(readout, 4), 0)) << bits(readout, 4).value;
}

TEST(AttentiveReadout, SameSeedSameBits) {
  const auto [tokens, y] = marked();
  const AttentiveOptions options{.steps = 60};
  const Readout one = attentive_readout(tokens, task(y, {16}), options, Seed(4));
  const Readout two = attentive_readout(tokens, task(y, {16}), options, Seed(4));
  EXPECT_TRUE(torch::equal(one.test.log2_probability, two.test.log2_probability));
}

TEST(Reduction, KeepsTheLeadingDirections) {
  const Tensor strong = noise("strong", kAll, 3).matmul(noise("directions", 3, 40)) * 3;
  const Tensor rows = strong + .1 * noise("weak", kAll, 40) + 7;
  const Reduction reduction(rows, 3, Scaling::common, Seed(1));
  const Tensor out = reduction.apply(rows);
  EXPECT_EQ(out.size(1), 3);
  EXPECT_NEAR(out.square().mean().item<double>(), 1, 1e-3);
  // The three directions explain the rows: least squares leaves the weak noise alone.
  const Tensor centred = rows - rows.mean(0);
  const Tensor fit = out.matmul(std::get<0>(torch::linalg_lstsq(out, centred)));
  EXPECT_NEAR((centred - fit).square().mean().item<double>(), .01, .002);
}

}  // namespace
}  // namespace assay::probe
