// Which features deep linear networks learn first, in closed form known: reconstruction by
// covariance, latent prediction by regression coefficient.
#include <gtest/gtest.h>

#include "tests/objective/fixture.h"

namespace assay {
namespace {

// Two features, seen as x and predicted as y = ρx + noise, independent of each other. The sixteen
// points have exactly these moments: covariance λ = Σyx, regression coefficient ρ = λ/Σxx. Feature
// 0 has the larger covariance, feature 1 the larger regression coefficient.
constexpr double kCovariance[] = {1, 0.8}, kSlope[] = {0.4, 0.9};
constexpr double kNoise = 0.3, kStart = 0.25, kRate = 0.05;
constexpr int kDepth = 3;

std::pair<Tensor, Tensor> points() {
  const Tensor x = at::empty({16, 2}, at::kDouble), y = at::empty({16, 2}, at::kDouble);
  for (int64_t i = 0; i < 16; ++i)
    for (int64_t k = 0; k < 2; ++k) {
      const double deviation = std::sqrt(kCovariance[k] / kSlope[k]);
      const double a = (i >> k) & 1 ? deviation : -deviation, b = (i >> (k + 2)) & 1 ? 1 : -1;
      x[i][k] = a;
      y[i][k] = kSlope[k] * a + b * kNoise;
    }
  return {x, y};
}

Tensor product(const std::vector<Tensor>& layers) {
  Tensor out = at::eye(2, at::kDouble);
  for (const Tensor& layer : layers) out = layer.matmul(out);
  return out;
}

// Time (steps times rate) at which the encoder holds half of each feature's final gain, under the
// library's squared error. Layers are balanced and small to start with. Latent: a linear predictor,
// and the encoder's own output without gradient as target; the final gain is then ρ^depth, else ρ.
std::vector<double> half_learned(bool latent) {
  const auto [x, y] = points();
  Setting setting;
  setting.target.outputs = 2;
  const auto metric =
      make_part<Metric>(parse_toml("kind = \"squared_error\"", "test"), setting, "metric");
  std::vector<Tensor> layers;
  for (int l = 0; l < kDepth + (latent ? 1 : 0); ++l)
    layers.push_back((at::eye(2, at::kDouble) * kStart).requires_grad_(true));
  const std::vector<Tensor> encoder(layers.begin(), layers.begin() + kDepth);
  std::vector<double> time = {-1, -1};
  for (int step = 0; step < 20000 && (time[0] < 0 || time[1] < 0); ++step) {
    const Tensor target = latent ? at::linear(y, product(encoder)).detach() : y;
    const Tensor prediction = at::linear(x, product(layers));
    metric->loss(prediction.unsqueeze(1), target.unsqueeze(1), NoiseField(), {})
        .loss.mean()
        .div(2)
        .backward();
    const torch::NoGradGuard no_gradient;
    for (Tensor& layer : layers) {
      layer.sub_(layer.grad() * kRate);
      layer.mutable_grad().zero_();
    }
    const Tensor gain = product(encoder).diagonal();
    for (size_t k = 0; k < 2; ++k)
      if (time[k] < 0 && gain[static_cast<int64_t>(k)].item<double>() >
                             0.5 * std::pow(kSlope[k], latent ? kDepth : 1))
        time[k] = (step + 1) * kRate;
  }
  return time;
}

// The same time under gradient flow with every layer at w: ẇ = w^(L-1)(λ - w^L Σxx) for
// reconstruction, ẇ = w^(2L)(λ - w Σxx) for latent prediction, by the trapezoid rule.
double flow_time(size_t k, bool latent) {
  constexpr int kSteps = 20000;
  const double variance = kCovariance[k] / kSlope[k];
  const double end =
      latent ? std::pow(0.5, 1.0 / kDepth) * kSlope[k] : std::pow(0.5 * kSlope[k], 1.0 / kDepth);
  const auto slowness = [&](double w) {
    return latent
               ? 1 / (std::pow(w, 2 * kDepth) * (kCovariance[k] - w * variance))
               : 1 / (std::pow(w, kDepth - 1) * (kCovariance[k] - std::pow(w, kDepth) * variance));
  };
  double sum = (slowness(kStart) + slowness(end)) / 2;
  for (int i = 1; i < kSteps; ++i) sum += slowness(kStart + (end - kStart) * i / kSteps);
  return sum * (end - kStart) / kSteps;
}

// Littwin et al. 2024, arXiv 2407.03475: a deep masked autoencoder learns the feature of larger
// covariance first, a deep JEPA that of larger regression coefficient. Times agree with gradient
// flow to 2%; the order is a factor of 1.4 and 1.2.
TEST(DeepLinear, ReconstructionLearnsByCovarianceLatentPredictionByRegressionCoefficient) {
  for (const bool latent : {false, true}) {
    const std::vector<double> time = half_learned(latent);
    for (size_t k = 0; k < 2; ++k)
      EXPECT_NEAR(time[k] / flow_time(k, latent), 1, 0.02) << latent << k;
    EXPECT_GT(latent ? time[0] : time[1], 1.15 * (latent ? time[1] : time[0])) << latent;
  }
}

}  // namespace
}  // namespace assay
