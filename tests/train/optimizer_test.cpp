// Flat buffers change nothing: same views, same AdamW, same gradient.
#include "tests/train/fixture.h"

#include <gtest/gtest.h>

#include "assay/stats/kernels.h"

namespace assay {
namespace {

using namespace testing;

Tensor loss_of(Objective& objective, const Batch& batch) {
  return training_loss(objective, objective.losses(batch, Draw::from(Seed(5), 0)), 0);
}

TEST(FlatParameters, ViewsSurviveBackwardAndStep) {
  const auto objective = small_objective();
  FlatParameters flat(*objective);
  Optimizer optimizer(*objective, flat, small_config());
  const Sines data;
  const std::vector<int64_t> ids = {0, 1, 2, 3};
  for (int step = 0; step < 3; ++step) {
    flat.differentiate(loss_of(*objective, data.get(ids)));
    optimizer.step(flat, 1e-3);
  }
  const auto parameters = objective->parameters();
  size_t i = 0;
  for (const auto& entry : flat.entries()) {
    EXPECT_EQ(parameters[i].data_ptr(), flat.values().slice(0, entry.begin, entry.end).data_ptr());
    EXPECT_EQ(parameters[i].grad().data_ptr(),
              flat.gradients().slice(0, entry.begin, entry.end).data_ptr());
    ++i;
  }
}

TEST(FlatParameters, GroupsCoverTrunkAndHeadAndEveryLayer) {
  const auto objective = small_objective();
  const FlatParameters flat(*objective);
  const auto& groups = flat.groups();
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups[0].name, "trunk");
  EXPECT_EQ(groups[1].name, "head");
  EXPECT_EQ(groups[2].name, "layer.0");
  EXPECT_EQ(groups[3].name, "layer.1");
  EXPECT_EQ(groups[0].begin, 0);
  EXPECT_EQ(groups[0].end, groups[1].begin);
  EXPECT_EQ(groups[1].end, flat.size());
  EXPECT_EQ(groups[2].end - groups[2].begin, groups[3].end - groups[3].begin);
  EXPECT_LE(groups[3].end, groups[0].end);
}

// The oracle: LibTorch's AdamW on a model that was never flattened, parameter by parameter.
TEST(Optimizer, EqualsPlainAdamWBitForBit) {
  TrainConfig config = small_config();
  config.clip_norm = 0;
  const auto flat_objective = small_objective(), plain_objective = small_objective();
  FlatParameters flat(*flat_objective);
  Optimizer optimizer(*flat_objective, flat, config);
  std::vector<Tensor> matrices, vectors;
  for (const Tensor& parameter : plain_objective->parameters())
    (parameter.dim() >= 2 ? matrices : vectors).push_back(parameter);
  auto options =
      torch::optim::AdamWOptions(2e-3).betas({config.beta1, config.beta2}).eps(config.epsilon);
  torch::optim::AdamW with_decay(
      matrices, torch::optim::AdamWOptions(options).weight_decay(config.weight_decay));
  torch::optim::AdamW without(vectors, torch::optim::AdamWOptions(options).weight_decay(0));
  const Sines data;
  for (int64_t step = 0; step < 4; ++step) {
    const std::vector<int64_t> ids = {step, step + 1, step + 2};
    flat.differentiate(loss_of(*flat_objective, data.get(ids)));
    optimizer.step(flat, 2e-3);
    with_decay.zero_grad();
    without.zero_grad();
    loss_of(*plain_objective, data.get(ids)).backward();
    with_decay.step();
    without.step();
  }
  const auto a = flat_objective->parameters(), b = plain_objective->parameters();
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(torch::equal(a[i], b[i])) << flat.entries()[i].name;
}

TEST(Optimizer, ClipsTheNormOfTheWholeGradient) {
  TrainConfig config = small_config();
  config.clip_norm = 0.5;
  const auto objective = small_objective();
  FlatParameters flat(*objective);
  Optimizer optimizer(*objective, flat, config);
  flat.gradients().fill_(1.0);
  const double norm = std::sqrt(static_cast<double>(flat.size()));
  EXPECT_NEAR(optimizer.step(flat, 1e-3), norm, 1e-3 * norm);
  EXPECT_NEAR(flat.gradients().norm().item<double>(), 0.5, 1e-5);
}

TEST(Trainer, MeanOverMicrobatchesIsTheGradientOfTheBatch) {
  const auto objective = small_objective("mae");
  FlatParameters flat(*objective);
  const Sines data;
  const std::vector<int64_t> ids = {0, 1, 2, 3, 4, 5, 6, 7};
  loss_of(*objective, data.get(ids)).backward();
  const Tensor whole = flat.gradients().clone();
  Tensor mean = torch::zeros_like(whole);
  for (size_t j = 0; j < ids.size(); j += 2) {
    flat.differentiate(loss_of(*objective, data.get(std::span(ids).subspan(j, 2))));
    mean += flat.gradients() / 4;
  }
  EXPECT_LT((mean - whole).norm().item<double>(), 1e-5 * whole.norm().item<double>());
}

// One pass over each parameter's own buffer against the flat gradient, its sum and its norms.
TEST(FlatParameters, AccumulateIsTheGradientAddedAndItsNorms) {
  const auto objective = small_objective("vae");
  FlatParameters flat(*objective);
  const GroupLayout layout(flat.groups(), flat.size());
  const Sines data;
  const std::vector<int64_t> ids = {0, 1, 2, 3};
  std::vector<float> sum(static_cast<size_t>(flat.size()), 2.0f);
  std::vector<double> norms(flat.groups().size()), expected(flat.groups().size());
  flat.accumulate(loss_of(*objective, data.get(ids)), layout, sum, norms);
  flat.differentiate(loss_of(*objective, data.get(ids)));
  squared_norms(flat.gradient_span(), {}, layout, expected);
  for (size_t g = 0; g < norms.size(); ++g)
    EXPECT_NEAR(norms[g], expected[g], 1e-6 * expected[g]) << flat.groups()[g].name;
  const Tensor plus = flat.gradients() + 2;
  EXPECT_TRUE(torch::equal(torch::from_blob(sum.data(), {flat.size()}), plus));
}

}  // namespace
}  // namespace assay
