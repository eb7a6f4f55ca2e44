// The collapse meter: known spectra, and a collapse that is planted.
#include "toy.h"

namespace assay {
namespace {

// Features of the toys are tanh(x W) of one token; x ~ N(0, I) in 8 dimensions.
const toy::GaussianData& data() {
  static const toy::GaussianData all(std::vector<double>(8, 1.0), 400, 3);
  return all;
}

Subject trial(const Tensor& averaged_weight, double fraction = 0.4) {
  const auto make = []() -> std::shared_ptr<Objective> {
    return std::make_shared<toy::Denoiser>(torch::eye(8) * 1e-3, std::vector<double>{.5}, 1);
  };
  const auto objective = make();
  const FlatParameters flat(*objective);
  Tensor averaged = flat.values().clone();
  averaged.narrow(0, 0, 64).copy_(averaged_weight.flatten());
  return toy::subject(make, data(), data(), fraction, averaged);
}

double value(const std::vector<Measurement>& all, const std::string& quantity,
             const std::string& weights = "averaged") {
  return toy::find(all, quantity, {{"weights", weights}}).value;
}

// At a small scale tanh is the identity: eight equal variances give an effective rank of 8, up to
// the spread of sample eigenvalues of 256 examples (entropy loss of about d/2n = .016 nat), three
// give 3.
TEST(Collapse, EffectiveRankCountsDimensions) {
  Subject subject = trial(torch::diag(torch::tensor({1., 1., 1., 0., 0., 0., 0., 0.})) * 1e-3);
  const auto all = toy::meter("collapse")->measure(subject);
  EXPECT_NEAR(value(all, "effective_rank", "live"), 8, 0.4);
  EXPECT_NEAR(value(all, "effective_rank"), 3, 0.1);
  EXPECT_GT(value(all, "feature_spread"), 0.95);  // zero mean: all of the energy is variance
  EXPECT_TRUE(subject.notes.empty());
  EXPECT_GT(subject.flops_spent, 0);
}

TEST(Collapse, FeaturesOnALineAndAConstantAreNoted) {
  Subject line = trial(torch::diag(torch::tensor({1., 0., 0., 0., 0., 0., 0., 0.})) * 1e-3);
  const auto all = toy::meter("collapse")->measure(line);
  EXPECT_NEAR(value(all, "effective_rank"), 1, 1e-3);
  ASSERT_EQ(line.notes.size(), 1u);
  EXPECT_NE(line.notes[0].find("collapse: the trunk's features lie on a line"), std::string::npos);
  EXPECT_NE(line.notes[0].find("at 40% of the budget"), std::string::npos) << line.notes[0];

  Subject constant = trial(torch::zeros({8, 8}));
  const auto none = toy::meter("collapse")->measure(constant);
  EXPECT_EQ(value(none, "feature_spread"), 0);
  ASSERT_EQ(constant.notes.size(), 1u);
  EXPECT_NE(constant.notes[0].find("the same for all examples"), std::string::npos);
}

}  // namespace
}  // namespace assay
