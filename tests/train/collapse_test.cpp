// Objectives that collapse, and what keeps them from it, in small real runs.
#include "assay/tensor/torch.h"

#include <gtest/gtest.h>

#include "assay/noise/noise.h"
#include "assay/train/optimizer.h"
#include "tests/objective/fixture.h"

namespace assay {
namespace {

ModelConfig tiny() {
  ModelConfig model;
  model.width = 32;
  model.depth = 1;
  model.heads = 2;
  return model;
}

// Smooth images of 8 × 8 whose content survives a crop: three colours and two slopes, by id.
Batch images(int64_t first, int64_t count) {
  Batch batch;
  for (int64_t i = 0; i < count; ++i) batch.ids.push_back(first + i);
  batch.replicas = replicas_of(batch.ids);
  const Tensor code =
      uniform_rows(Seed(7), row_keys(batch), {9}, at::TensorOptions(at::kFloat)) * 2 - 1;
  const Tensor ramp = at::linspace(-1, 1, 8);
  const auto part = [&](int64_t column) { return code.narrow(1, column, 3).view({-1, 3, 1, 1}); };
  batch.images =
      (part(0) + part(3) * ramp.view({1, 1, 8, 1}) + part(6) * ramp.view({1, 1, 1, 8})) / 3;
  return batch;
}

/// Variance over examples of the unit-length projections, summed over numbers: 0 = one constant, 1
/// = spread evenly.
double spread(const std::shared_ptr<Objective>& objective) {
  const torch::NoGradGuard no_gradient;
  const auto head =
      std::dynamic_pointer_cast<Predict>(objective->named_modules()["head.views.predict"]);
  const Tensor encoded = objective->features(images(5000, 128)).back();
  Tensor z = head->predict({encoded, NoiseField(), Tokens::pooled}).values.squeeze(1);
  // Prototypes: what the teacher would see of them.
  if (z.size(1) == 16) z = (z / 0.04).softmax(1);
  z = z / z.norm(2, 1, true).clamp_min(1e-12);
  return z.var(0, false).sum().item<double>();
}

double spread_after(const std::string& preset, const std::string& overrides, int64_t steps = 250) {
  DataShape data = image_data(8);
  const auto objective = make_objective(
      resolve_objective(preset_table(preset, overrides), tiny(), data), tiny(), data, Seed(2));
  FlatParameters flat(*objective);
  TrainConfig config;
  config.learning_rate = 3e-3;
  config.weight_decay = 0;
  Optimizer optimizer(*objective, flat, config);
  for (int64_t step = 0; step < steps; ++step) {
    const Draw draw = Draw::from(Seed(9).child(static_cast<uint64_t>(step)), 0);
    flat.differentiate(
        training_loss(*objective, objective->losses(images(step * 32, 32), draw), 0));
    optimizer.step(flat, config.learning_rate);
    objective->after_step(step + 1, steps);
  }
  return spread(objective);
}

// One run each: the effect is of orders of magnitude, and the seeds are fixed.
TEST(Collapse, VicregWithoutItsRegulariserCollapses) {
  const std::string small = "target.outputs = 8\n";
  EXPECT_LT(
      spread_after("vicreg", small + "regularise.vicreg = { variance = 0.0, covariance = 0.0 }"),
      0.01);
  EXPECT_GT(spread_after("vicreg", small), 0.3);
}

TEST(Collapse, LejepaWithoutSigregCollapses) {
  const std::string small = "target.outputs = 8\n";
  EXPECT_LT(spread_after("lejepa", small + "regularise.sigreg = { weight = 0.0 }"), 0.01);
  EXPECT_GT(spread_after("lejepa", small), 0.3);
}

TEST(Collapse, DinoWithoutCentringCollapses) {
  const std::string small = "target.count = 16\nviews.local = 2\n";
  EXPECT_LT(spread_after("dino", small + "target.centring = \"none\"", 500), 0.01);
  EXPECT_GT(spread_after("dino", small + "target.centring = \"mean\"", 500), 0.3);
  EXPECT_GT(spread_after("dino", small, 500), 0.3);
}

}  // namespace
}  // namespace assay
