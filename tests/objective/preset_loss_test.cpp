// The loss of whole presets, written out from their formulas: trunk and head are those of the
// objective; noise, targets and losses are computed anew.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <numbers>

#include "tests/objective/sample.h"

namespace assay {
namespace {

// α = cos(πu/2), σ = sin(πu/2); the trunk is told σ/(α + σ).
TEST(PresetLoss, DenoiseEpsAndV) {
  for (const std::string target : {"eps", "v"}) {
    Sample run("denoise-" + target, "pixels");
    const Tensor angle = run.uniforms("level") * (std::numbers::pi / 2);
    const Tensor a = angle.cos(), s = angle.sin(), e = run.noise();
    const Tensor p = run.predicted(a * run.x + s * e, s / (a + s));
    EXPECT_NEAR(run.loss(), mean_square(p - (target == "eps" ? e : a * e - s * run.x)), 1e-9);
  }
}

TEST(PresetLoss, Flow) {
  Sample run("flow", "pixels");
  const Tensor s = run.uniforms("level"), e = run.noise();
  EXPECT_NEAR(run.loss(), mean_square(run.predicted((1 - s) * run.x + s * e, s) - (e - run.x)),
              1e-9);
}

// K/2·(SNR_(i-1) - SNR_i)·|x̂ - x|², i uniform on 1 … K, log-SNR 7 - 14 i/K, α² + σ² = 1.
TEST(PresetLoss, DenoiseLevels) {
  for (const int64_t levels : {1, 4, 16}) {
    Sample run("denoise-levels", "pixels", fmt::format("corrupt.law.steps = {}", levels));
    const auto k = static_cast<double>(levels);
    const Tensor i = (run.uniforms("level") * k).ceil();
    const Tensor log_snr = 7 - 14 * i / k, before = 7 - 14 * (i - 1) / k;
    const Tensor a = at::sigmoid(log_snr).sqrt(), s = at::sigmoid(-log_snr).sqrt();
    const Tensor error = run.predicted(a * run.x + s * run.noise(), s / (a + s)) - run.x;
    const Tensor weight = k / 2 * (before.exp() - log_snr.exp());
    expect_close(run.loss(), (weight * error.square()).mean());
  }
}

TEST(PresetLoss, NextPatchInPixelsAndInClasses) {
  Sample pixels("pixel-ar", "pixels");
  const Tensor mean = pixels.x.mean(2, true),
               variance = (pixels.x - mean).square().sum(2, true) / 47;
  const Tensor target = ((pixels.x - mean) / (variance + 1e-6).sqrt()).narrow(1, 1, 15);
  EXPECT_NEAR(pixels.loss(),
              mean_square(pixels.predicted(pixels.x, {}, true, Tokens::next) - target), 1e-9);

  Sample classes("pixel-token", "pixels");
  const Tensor logits = classes.predicted(classes.x, {}, true, Tokens::next).view({4, 15, 48, 16});
  const Tensor index = ((classes.x + 1) * 8).floor().clamp(0, 15).to(at::kLong).narrow(1, 1, 15);
  expect_close(classes.loss(), -logits.log_softmax(3).gather(3, index.unsqueeze(3)).mean());
}

// -log p(x|z) + KL, per number of the image, at one sample of z.
TEST(PresetLoss, VaeIsTheNegativeEvidenceLowerBound) {
  Sample run("vae", "pixels");
  TrunkInput input;
  input.tokens = run.x;
  const auto [values, mean, log_variance] =
      run.head->predict({run.objective->trunk().forward(input), NoiseField(), Tokens::all,
                         row_keys(run.batch), kDraw.pattern.child("latent")});
  const Tensor variance =
      run.objective->named_parameters()["head.pixels.metric.log_variance"].exp();
  const Tensor likelihood =
      ((values - run.x).square() / variance + (2 * std::numbers::pi * variance).log()).sum({1, 2}) /
      2;
  const Tensor kl = (mean.square() + log_variance.exp() - log_variance - 1).sum(1) / 2;
  expect_close(run.loss(), (likelihood + kl).mean() / 768);
}

// Low-pass images and details by block means, without any Haar basis: band k >= 1 of four is the
// difference between means over blocks of 2^(3-k) and of twice that.
TEST(PresetLoss, NextBandIsALikelihoodOfDetails) {
  Sample run("next-band", "bands");
  const Tensor images = run.batch.images.to(at::kDouble);
  const auto blocks = [](const Tensor& image, int64_t side) {
    const Tensor mean = at::avg_pool2d(image, side);
    return mean.repeat_interleave(side, 2).repeat_interleave(side, 3);
  };
  const std::vector<double> numbers = {3 * 4, 3 * 12, 3 * 48,
                                       3 * 192};  // of 16 × 16 in blocks of 8
  const Tensor u = run.uniforms("band");
  const Tensor log_variance = run.objective->named_parameters()["head.bands.metric.log_variance"];
  double sum = 0;
  for (int64_t b = 0; b < 4; ++b) {
    const auto band = static_cast<int64_t>(u[b].item<double>() * 4);
    const int64_t side = int64_t{8} >> band;  // the finest blocks that the band describes
    const Tensor image = images.narrow(0, b, 1);
    const Tensor seen = band == 0 ? at::zeros_like(image) : blocks(image, 2 * side);
    const Tensor p = run.predicted(
        patchify(seen, 4), at::full({1}, 1 - 0.25 * static_cast<double>(band), at::kDouble));
    const Tensor error = unpatchify(p, 4, 3) - image;
    const Tensor detail =
        band == 0 ? blocks(error, 8) : blocks(error, side) - blocks(error, 2 * side);
    const double lv = log_variance[band].item<double>();
    sum += 4 *
           (detail.square().sum().item<double>() / std::exp(lv) +
            numbers[static_cast<size_t>(band)] * (lv + std::log(2 * std::numbers::pi))) /
           2;
  }
  EXPECT_NEAR(run.loss(), sum / 4 / 768, 1e-9);
}

TEST(PresetLoss, NepaIsOneMinusTheCosineToTheNextEmbedding) {
  Sample run("nepa", "latent");
  const Tensor embedding = run.objective->trunk().content(run.x).narrow(1, 1, 15);
  const Tensor p = run.predicted(run.x, {}, true, Tokens::next);
  const Tensor cosine = (p * embedding).sum(2) / (p.norm(2, 2) * embedding.norm(2, 2));
  expect_close(run.loss(), 1 - cosine.mean());
}

TEST(PresetLoss, SimclrVicregAndLejepa) {
  Sample simclr("simclr", "views");
  Tensor z = at::cat(projections(simclr, 2, 0.3));
  z = z / z.norm(2, 1, true);
  const Tensor similarity = (z.matmul(z.t()) / 0.2).masked_fill(at::eye(8, at::kBool), -1e30);
  const Tensor partner = at::cat({at::arange(4, 8), at::arange(0, 4)});
  expect_close(simclr.loss(), at::cross_entropy_loss(similarity, partner));

  Sample vicreg("vicreg", "views");
  const auto views = projections(vicreg, 2, 0.3);
  Tensor total = 25 * (views[0] - views[1]).square().mean();
  for (const Tensor& view : views) {
    const Tensor centred = view - view.mean(0, true), covariance = centred.t().matmul(centred) / 3;
    const Tensor off = covariance - covariance.diagonal().diag();
    total = total + 12.5 * at::relu(1 - (view.var(0, true) + 1e-4).sqrt()).mean() +
            off.square().sum() / 64;
  }
  expect_close(vicreg.loss(), total);

  Sample lejepa("lejepa", "views", "regularise.sigreg.weight = 0.0");
  const Tensor all = at::stack(projections(lejepa, 4, 0.3));
  expect_close(lejepa.loss(), 0.98 * (all - all.mean(0, true)).square().mean());
}

// High bands count clip((τ - .25)/.5, 0, 1).
TEST(PresetLoss, ReleaseWeighsHighBandsByProgress) {
  Sample run("release", "pixels");
  const LossMap map = run.objective->losses(run.batch, kDraw);
  const auto cells = run.objective->cells();
  for (const auto& [progress, high] :
       std::vector<std::pair<double, double>>{{0, 0}, {0.5, 0.5}, {1, 1}}) {
    double sum = 0;
    for (size_t c = 0; c < cells.size(); ++c)
      sum += map.loss.select(1, static_cast<int64_t>(c)).mean().item<double>() *
             (cells[c].band >= 2 ? high : 1);
    EXPECT_NEAR(run.loss(progress), sum / 768, 1e-9);
  }
  Sample never("release", "pixels", "weight.when = \"never\"");
  EXPECT_NEAR(never.loss(1), run.loss(0), 1e-12);
  Sample at_once("release", "pixels", "weight.when = \"at_once\""), plain("denoise", "pixels");
  EXPECT_NEAR(at_once.loss(), plain.loss(), 1e-12);
}

TEST(PresetLoss, MaeNormIsTheMeanOverMaskedNormalisedPatches) {
  Sample run("mae-norm", "pixels");
  const NoiseField field = field_of(run, "mae-norm", "pixels", image_data(), {16, 48});
  const Tensor mean = run.x.mean(2, true), variance = (run.x - mean).square().sum(2, true) / 47;
  const Tensor target = take_positions((run.x - mean) / (variance + 1e-6).sqrt(), field.masked);
  TrunkInput input;
  input.tokens = run.x;
  input.kept = field.visible;
  const Tensor p =
      run.head->predict({run.objective->trunk().forward(input), field, Tokens::masked}).values;
  EXPECT_NEAR(run.loss(), mean_square(p - target), 1e-9);
}

TEST(PresetLoss, MaskedPatchesAsClasses) {
  Sample run("pixel-token-masked", "pixels");
  const NoiseField field = field_of(run, "pixel-token-masked", "pixels", image_data(), {16, 48});
  TrunkInput input;
  input.tokens = run.x;
  input.masked = field.masked;
  input.mask_token = run.objective->named_parameters()["head.pixels.mask_token"];
  const Tensor logits =
      run.head->predict({run.objective->trunk().forward(input), field, Tokens::masked})
          .values.view({4, 8, 48, 16});
  const Tensor index = take_positions(((run.x + 1) * 8).floor().clamp(0, 15), field.masked);
  expect_close(run.loss(),
               -logits.log_softmax(3).gather(3, index.to(at::kLong).unsqueeze(3)).mean());
}

TEST(PresetLoss, MaskedDenoiseRestoresNoisyAndDroppedTokens) {
  Sample run("masked-denoise", "pixels");
  const NoiseField field = field_of(run, "masked-denoise", "pixels", image_data(), {16, 48});
  const Tensor s = field.level.view({4, 1, 1});
  TrunkInput input;
  input.tokens = (1 - s) * run.x + s * run.noise();
  input.kept = field.visible;
  input.level = field.level;
  const Tensor p =
      run.head->predict({run.objective->trunk().forward(input), field, Tokens::all}).values;
  EXPECT_NEAR(run.loss(), mean_square((p - run.x) / s.clamp_min(0.3)), 1e-9);
}

TEST(PresetLoss, Data2vecPredictsTheMeanOfNormalisedUpperLayers) {
  Sample run("data2vec", "latent");
  // Biases were moved after the teacher was copied; a window of zero makes it the student.
  run.objective->after_step(1, 1'000'000'000);
  const NoiseField field = field_of(run, "data2vec", "latent", image_data(), {16, 48});
  const auto modules = run.objective->named_modules();
  const auto teacher = std::dynamic_pointer_cast<Trunk>(modules["teacher.latent.trunk"]);
  TrunkInput whole, masked;
  whole.tokens = masked.tokens = run.x;
  masked.masked = field.masked;
  masked.mask_token = run.objective->named_parameters()["head.latent.mask_token"];
  const auto layers = teacher->features(whole);
  const Tensor target = (at::layer_norm(layers[1], {32}) + at::layer_norm(layers[2], {32})) / 2;
  const Tensor p =
      run.head->predict({run.objective->trunk().forward(masked), field, Tokens::masked}).values;
  const Tensor d = (p - take_positions(target, field.masked)).abs();
  expect_close(run.loss(), at::where(d < 2, d.square() / 4, d - 1).mean());
}

TEST(PresetLoss, SupervisedIsTheSurpriseAtTheLabelOfACrop) {
  for (const std::string name : {"supervised", "supervised-narrow"}) {
    Sample run(name, "label");
    const Tensor crop = augmented(run.batch.images, row_keys(run.batch),
                                  kDraw.pattern.child("crop").child(uint64_t{0}), 16, {0.5, 1});
    const Tensor logits =
        run.predicted(patchify(crop.to(at::kDouble), 4), {}, false, Tokens::pooled).squeeze(1);
    Tensor label = run.batch.labels.select(1, 0);
    if (name == "supervised-narrow") label = label.clamp_max(2);
    expect_close(run.loss(), -logits.log_softmax(1).gather(1, label.unsqueeze(1)).mean());
  }
}

}  // namespace
}  // namespace assay
