// A preset with a batch, taken apart so that its loss can be written a second time.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "assay/objective/augment.h"
#include "assay/tensor/patches.h"
#include "tests/objective/fixture.h"

namespace assay {

inline const Draw kDraw = Draw::from(Seed(11), 0);

// A preset in float64 with a batch of four 16 × 16 images in 16 patches.
struct Sample {
  std::shared_ptr<Objective> objective;
  Batch batch = make_batch({3, 8, 21, 40}, image_data());
  Tensor x;  // [4, 16, 48]
  std::shared_ptr<Predict> head;

  Sample(const std::string& preset, const std::string& term, const std::string& overrides = "")
      : objective(make_preset(preset, overrides)) {
    objective->to(at::kDouble);
    // The output layer starts near zero; a prediction that matters tests more.
    for (auto& [name, parameter] : trained(*objective))
      if (name.find("bias") != std::string::npos) parameter.data().add_(0.1);
    x = patchify(batch.images.to(at::kDouble), 4);
    head = std::dynamic_pointer_cast<Predict>(
        objective->named_modules()[fmt::format("head.{}.predict", term)]);
  }
  double loss(double progress = 0) {
    Draw draw = kDraw;
    draw.progress = progress;
    return training_loss(*objective, objective->losses(batch, draw), progress).item<double>();
  }
  Tensor uniforms(const std::string& name) const {
    return at::tensor(uniform_per_row(kDraw.level.child(name), row_keys(batch)), at::kDouble)
        .view({4, 1, 1});
  }
  Tensor noise() const {
    return normal_rows(kDraw.pattern.child("noise"), row_keys(batch), {16, 48},
                       at::TensorOptions(at::kDouble));
  }
  // Predictions for tokens z at noise share s.
  Tensor predicted(const Tensor& z, const Tensor& share = {}, bool causal = false,
                   Tokens which = Tokens::all) const {
    TrunkInput input;
    input.tokens = z;
    if (share.defined()) input.level = share.reshape(-1);
    input.causal = causal;
    return head->predict({objective->trunk().forward(input), NoiseField(), which}).values;
  }
};

inline void expect_close(double ours, const Tensor& direct) {
  EXPECT_NEAR(ours, direct.item<double>(), 1e-9 * std::max(1.0, std::abs(ours)));
}

inline double mean_square(const Tensor& error) { return error.square().mean().item<double>(); }

// The field that a preset's own corruption draws for the sample.
inline NoiseField field_of(const Sample& sample, const std::string& preset_name,
                           const std::string& term, const DataShape& data,
                           const TokenShape& tokens) {
  Setting setting;
  setting.model = small_model();
  setting.data = data;
  setting.tokens = tokens;
  const Node table =
      resolve_part("corrupt", *preset(preset_name).find("term")->find(term)->find("corrupt"),
                   data.modality, "c");
  return make_part<Corrupt>(table, setting, "c")
      ->field(row_keys(sample.batch), kDraw, at::TensorOptions(at::kDouble));
}

// Projections [V][B, d] of the crops that the draw makes.
inline std::vector<Tensor> projections(const Sample& run, int64_t count, double smallest) {
  std::vector<Tensor> z;
  for (int64_t v = 0; v < count; ++v) {
    const Tensor crop =
        augmented(run.batch.images, row_keys(run.batch),
                  kDraw.pattern.child("crop").child(static_cast<uint64_t>(v)), 16, {smallest, 1});
    z.push_back(
        run.predicted(patchify(crop.to(at::kDouble), 4), {}, false, Tokens::pooled).squeeze(1));
  }
  return z;
}

}  // namespace assay
