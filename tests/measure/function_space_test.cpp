// Gradients as the motion of features: against the exact derivative, and where motions do not
// depend on the metric.
#include "assay/measure/function_space.h"

#include "assay/measure/objective_gradients.h"
#include "assay/stats/noise_accumulator.h"
#include "measure/toy.h"

namespace assay {
namespace {

struct Motion {
  toy::GaussianData data{{2, 1, .5, .25}, 400, 1};
  std::shared_ptr<toy::Denoiser> objective =
      std::make_shared<toy::Denoiser>(.5 * torch::eye(4) + .1, std::vector{.5}, 2);
  FlatParameters parameters{*objective};
  ObjectiveGradients source{*objective, parameters, data};
  Tensor weight = torch::linspace(.5, 2, parameters.size());
  std::vector<int64_t> inputs = {300, 301, 302, 303, 304, 305, 306, 307};

  FunctionSpace motions() { return {source, *objective, parameters, data.get(inputs), weight}; }
};

std::vector<float> call(GradientSource& source, std::vector<int64_t> ids) {
  std::vector<float> out(static_cast<size_t>(source.size()));
  source.gradient(ids, Draw::from(Seed(5), 0), out);
  return out;
}

// Features (x, tanh xW): J d = (0, (1 − tanh² xW) xD) with D the direction P g as a matrix. Spread:
// of the features over the inputs. 1e-3 is what differences in float32 promise; planted fault: a
// weight that is left out.
TEST(FunctionSpace, IsTheDerivativeOfTheFeaturesAlongTheStep) {
  Motion s;
  FunctionSpace motions = s.motions();
  const std::vector<float> got = call(motions, {1, 2, 3});
  const std::vector<float> gradient = call(s.source, {1, 2, 3});
  const Tensor x = s.data.get(s.inputs).images.flatten(1);
  const Tensor w = s.parameters.values().slice(0, 0, 16).view({4, 4});
  const Tensor g = torch::tensor(gradient).slice(0, 0, 16);
  const Tensor y = torch::tanh(x.matmul(w));
  const double spread =
      torch::cat({x, y}, 1).to(torch::kFloat64).var(0).sum().sqrt().item<double>();
  const auto expected = [&](const Tensor& direction) {
    const Tensor moved = (1 - y.square()) * x.matmul(direction.view({4, 4}));
    return torch::cat({torch::zeros_like(x), moved}, 1).flatten() / (spread * std::sqrt(8.0));
  };
  const Tensor motion = torch::tensor(got);
  const Tensor right = expected(g * s.weight.slice(0, 0, 16));
  EXPECT_LT((motion - right).norm().item<double>(), 1e-3 * right.norm().item<double>());
  EXPECT_GT((motion - expected(g)).norm().item<double>(), .1 * right.norm().item<double>());
}

TEST(FunctionSpace, LeavesTheWeightsAndRepeatsBitForBit) {
  Motion s;
  const Tensor before = s.parameters.values().clone();
  FunctionSpace motions = s.motions();
  EXPECT_EQ(call(motions, {4, 5}), call(motions, {4, 5}));
  EXPECT_TRUE(torch::equal(before, s.parameters.values()));
}

// Loss × 1000 leaves every direction as it is, and the step is as long as the weights say, not the
// gradient: the motion is 1000 times as large to rounding, and SNR the same.
TEST(FunctionSpace, ScalesWithTheGradient) {
  Motion one, thousand;
  thousand.objective =
      std::make_shared<toy::Denoiser>(.5 * torch::eye(4) + .1, std::vector{.5}, 2, 1000);
  FlatParameters parameters(*thousand.objective);
  ObjectiveGradients source(*thousand.objective, parameters, one.data);
  FunctionSpace scaled(source, *thousand.objective, parameters, one.data.get(one.inputs),
                       one.weight);
  FunctionSpace plain = one.motions();
  const Tensor a = torch::tensor(call(plain, {1, 2, 3})),
               b = torch::tensor(call(scaled, {1, 2, 3}));
  EXPECT_LT((b - 1000 * a).norm().item<double>(), 1e-3 * b.norm().item<double>());
}

// A head that no feature depends on takes part in the Euclidean gradient and not in the motion.
TEST(FunctionSpace, TheMeterReportsTheTrunkOnly) {
  const toy::GaussianData data({2, 1, .5, .25}, 2000, 1);
  Subject subject = toy::subject(
      [] { return std::make_shared<toy::Denoiser>(.5 * torch::eye(4), std::vector{.5}, 2); }, data,
      data);
  const auto all =
      toy::meter("objective_snr", "function_units = 16\nweights = ['averaged']")->measure(subject);
  int found = 0;
  for (const Measurement& m : all)
    if (m.labels.contains("metric") && m.labels.at("metric") == "function") {
      EXPECT_EQ(m.labels.at("group"), "trunk");
      ++found;
    }
  EXPECT_EQ(found, 9);
  const auto snr = toy::find(all, "snr_per_example", {{"metric", "function"}});
  EXPECT_GT(snr.value, 0);
  EXPECT_LT(*snr.low, snr.value);
}

}  // namespace
}  // namespace assay
