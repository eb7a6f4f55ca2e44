// Objectives against their formulas, written out directly.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "assay/tensor/bands.h"
#include "assay/tensor/patches.h"
#include "tests/objective/fixture.h"

namespace assay {
namespace {

const Draw kDraw = Draw::from(Seed(11), 0);
const std::vector<int64_t> kIds = {3, 8, 21, 40};

std::shared_ptr<Predict> head_of(Objective& objective, const std::string& term) {
  return std::dynamic_pointer_cast<Predict>(
      objective.named_modules()[fmt::format("head.{}.predict", term)]);
}

std::shared_ptr<Metric> make_metric(const std::string& toml, Tokens tokens) {
  Setting setting;
  setting.model.patch = 2;
  setting.data = {Modality::image, 1, 4, 0};
  setting.tokens = {4, 4};
  setting.target = {4, tokens, "x"};
  setting.target.pixels = true;
  return make_part<Metric>(parse_toml(toml, "test"), setting, "metric");
}

Tensor exact(std::vector<double> values, at::IntArrayRef shape) {
  return at::tensor(values, at::kDouble).view(shape);
}

// One patch of 2 × 2 with error (1, 2, 3, 6): mean coefficient (1+2+3+6)/2 = 6, so 36 of the
// sum 50.
TEST(SquaredError, HandComputedPatchBands) {
  const auto metric = make_metric("kind = \"squared_error\"", Tokens::masked);
  EXPECT_EQ(metric->bands(), (std::vector<std::string>{"[0,1/4)", "[1/4,1/2]"}));
  const BandLoss out = metric->loss(exact({2, 2, 3, 7}, {1, 1, 4}), exact({1, 0, 0, 1}, {1, 1, 4}),
                                    NoiseField(), {});
  EXPECT_NEAR(out.loss[0][0].item<double>(), 36, 1e-12);
  EXPECT_NEAR(out.loss[0][1].item<double>(), 14, 1e-12);
  EXPECT_EQ(out.targets[0][0].item<double>(), 1);
  EXPECT_EQ(out.targets[0][1].item<double>(), 3);
}

// A constant error of 1 on 4 × 4 pixels is all in the lowest band: 16. Levels .5 and .01 divide the
// velocity loss by .25 and by the clipped .0025.
TEST(SquaredError, HandComputedImageAndVelocity) {
  const auto metric = make_metric("kind = \"squared_error\"\nspace = \"v\"", Tokens::all);
  NoiseField field;
  field.sigma = exact({0.5, 0.01}, {2, 1, 1});
  const BandLoss out =
      metric->loss(at::ones({2, 4, 4}, at::kDouble), at::zeros({2, 4, 4}, at::kDouble), field, {});
  EXPECT_NEAR(out.loss[0][0].item<double>(), 64, 1e-12);
  EXPECT_NEAR(out.loss[1][0].item<double>(), 6400, 1e-9);
  EXPECT_NEAR(out.loss.sum().item<double>(), 6464, 1e-9);
}

// Logits (0, ln 3): probabilities 1/4, 3/4.
TEST(CrossEntropy, HandComputed) {
  const auto metric =
      make_part<Metric>(parse_toml("kind = \"cross_entropy\"", "test"), Setting(), "metric");
  const Tensor logits = exact({0, std::log(3.0), 0, std::log(3.0)}, {1, 2, 2});
  const BandLoss out =
      metric->loss(logits, at::tensor({0, 1}, at::kLong).view({1, 2}), NoiseField(), {});
  EXPECT_NEAR(out.loss[0][0].item<double>(), std::log(4.0) + std::log(4.0 / 3), 1e-12);
  EXPECT_EQ(out.targets[0][0].item<double>(), 2);
}

// The trunk and decoder are those of the objective; masking, gathering and loss are written anew,
// with an explicit zero-one mask over all patches, as in the published code.
TEST(Mae, EqualsADirectMae) {
  const auto objective = make_preset("mae");
  objective->to(at::kDouble);
  const Batch batch = make_batch(kIds, image_data());
  const LossMap map = objective->losses(batch, kDraw);

  const Tensor patches = patchify(batch.images.to(at::kDouble), 4);
  const Tensor u = uniform_rows(kDraw.pattern.child("mask"), row_keys(batch), {16},
                                at::TensorOptions(at::kFloat));
  const Tensor order = u.argsort(true, 1, false);
  const Tensor masked = std::get<0>(order.narrow(1, 0, 12).sort(1));
  const Tensor kept = std::get<0>(order.narrow(1, 12, 4).sort(1));
  TrunkInput input;
  input.tokens = patches;
  input.kept = kept;
  const Tensor encoded = objective->trunk().forward(input);
  NoiseField field;
  field.visible = kept;
  field.masked = masked;
  field.drop = true;
  const auto head = head_of(*objective, "pixels");
  ASSERT_NE(head, nullptr);
  const Tensor full = head->predict({encoded, field, Tokens::all}).values;
  const Tensor mask = at::zeros({4, 16}, at::kDouble).scatter(1, masked, 1);
  const Tensor per_patch = (full - patches).square().mean(2);
  const double direct = ((per_patch * mask).sum() / mask.sum()).item<double>();
  EXPECT_NEAR(training_loss(*objective, map, 0).item<double>(), direct, 1e-6 * direct);
  // Band losses sum to the plain squared error of each example.
  const Tensor plain = (per_patch * mask).sum(1) * 48;
  EXPECT_LT(largest((map.loss.sum(1) - plain) / plain), 1e-6);
}

TEST(Denoise, EqualsTheDirectVelocityLoss) {
  const auto objective = make_preset("denoise");
  objective->to(at::kDouble);
  const Batch batch = make_batch(kIds, image_data());
  const LossMap map = objective->losses(batch, kDraw);

  const std::vector<double> u = uniform_per_row(kDraw.level.child("level"), row_keys(batch));
  // t = sigmoid(N(-.8, .8²)); a large u is a large noise share, so the normal is mirrored.
  const Tensor normal = -at::special_ndtri(at::tensor(u, at::kDouble));
  const Tensor t = at::sigmoid(normal * 0.8 - 0.8).view({4, 1, 1});
  const Tensor x = patchify(batch.images.to(at::kDouble), 4);
  const Tensor noise = normal_rows(kDraw.pattern.child("noise"), row_keys(batch), {16, 48},
                                   at::TensorOptions(at::kDouble));
  const Tensor z = t * x + (1 - t) * noise;
  TrunkInput input;
  input.tokens = z;
  input.level = (1 - t).view(-1);
  const auto head = head_of(*objective, "pixels");
  const Tensor predicted =
      head->predict({objective->trunk().forward(input), NoiseField(), Tokens::all}).values;
  const Tensor denominator = (1 - t).clamp_min(0.05);
  const Tensor error = (predicted - z) / denominator - (x - z) / denominator;
  const double direct = error.square().mean().item<double>();
  EXPECT_NEAR(training_loss(*objective, map, 0).item<double>(), direct, 1e-6 * direct);
  const Tensor plain = error.square().sum({1, 2});
  EXPECT_LT(largest((map.loss.sum(1) - plain) / plain), 1e-6);
}

TEST(Token, EqualsCrossEntropyOfTheNextByte) {
  const auto objective = make_preset("token");
  const Batch batch = make_batch(kIds, text_data());
  const double loss = training_loss(*objective, objective->losses(batch, kDraw), 0).item<double>();
  TrunkInput input;
  input.tokens = batch.bytes.narrow(1, 0, 12);
  input.causal = true;
  const auto head = head_of(*objective, "next");
  const Tensor logits =
      head->predict({objective->trunk().forward(input), NoiseField(), Tokens::all}).values;
  const Tensor direct = nn::functional::cross_entropy(logits.view({-1, 256}),
                                                      batch.bytes.narrow(1, 1, 12).reshape(-1));
  EXPECT_NEAR(loss, direct.item<double>(), 1e-6 * loss);
  EXPECT_NEAR(loss, std::log(256.0), 0.3);  // near-uniform to start with
}

// Bytes after t + 1 are neither input nor target of the prediction at t.
TEST(Token, PredictionsDoNotDependOnLaterBytes) {
  const auto objective = make_preset("token");
  Batch batch = make_batch(kIds, text_data());
  const auto head = head_of(*objective, "next");
  const auto logits = [&] {
    TrunkInput input;
    input.tokens = batch.bytes.narrow(1, 0, 12);
    input.causal = true;
    return head->predict({objective->trunk().forward(input), NoiseField(), Tokens::all}).values;
  };
  const Tensor before = logits();
  batch.bytes.narrow(1, 7, 6).bitwise_xor_(1);
  const Tensor after = logits();
  EXPECT_LT(largest(before.narrow(1, 0, 7) - after.narrow(1, 0, 7)), 1e-6);
  EXPECT_GT(largest(before.narrow(1, 7, 5) - after.narrow(1, 7, 5)), 1e-4);
}

// Masked tokens that stay in the sequence carry nothing of the image: changing the image there
// changes the loss by the targets alone, which a constant prediction of the same tokens shows.
TEST(Mask, KeptMaskedTokensAreBlank) {
  const auto objective = make_preset(
      "mae", "corrupt = { ratio = 0.5, drop = false }\npredict = { kind = \"linear\" }");
  EXPECT_EQ(objective->tokens_per_example(), 16);
  EXPECT_EQ(objective->expected_targets().at("pixels"), 8 * 48);
  TrunkInput input;
  input.tokens = patchify(make_batch({3}, image_data()).images, 4);
  input.masked = at::tensor({1, 4, 9}, at::kLong).unsqueeze(0);
  input.mask_token = at::full({32}, 0.1);
  const Tensor before = objective->trunk().forward(input);
  input.tokens = input.tokens.clone();
  for (const int64_t t : {1, 4, 9}) input.tokens[0][t] += 1;
  EXPECT_EQ(largest(before - objective->trunk().forward(input)), 0);
  input.tokens[0][2] += 1;
  EXPECT_GT(largest(before - objective->trunk().forward(input)), 1e-3);
}

}  // namespace
}  // namespace assay
