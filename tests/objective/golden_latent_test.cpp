// Codes, likelihoods and learned scales against golden values; the linear VAE is exact.
#include <cmath>
#include <numbers>

#include "tests/objective/golden.h"

namespace assay {
namespace {

const Draw kDraw = Draw::from(Seed(7), 0);

std::shared_ptr<Regularise> kl(double free_nats = 0) {
  Setting setting;
  setting.bottleneck = true;
  return part<Regularise>("kl", fmt::format("beta = 1.0\n{}", real_option("free_nats", free_nats)),
                          setting);
}

// [B] for a code of mean and log-variance [B, Z].
Tensor code_cost(const Regularise& regulariser, const Tensor& mean, const Tensor& log_variance) {
  View view;
  view.prediction.mean = mean;
  view.prediction.log_variance = log_variance;
  return regulariser.loss({view}, kDraw, {}).squeeze(1);
}

// Free nats of the batch mean are a published variant that we do not have.
void code(const Golden& given) {
  const Tensor mean = given.in("mean"), log_variance = given.in("log_variance");
  const Tensor cost = code_cost(*kl(), mean, log_variance);
  EXPECT_TRUE(agrees(cost, given.want("per_example")));
  EXPECT_TRUE(agrees(cost.mean(), given.want("mean")));
  std::vector<Tensor> columns;
  for (int64_t d = 0; d < mean.size(1); ++d)
    columns.push_back(code_cost(*kl(), mean.narrow(1, d, 1), log_variance.narrow(1, d, 1)));
  EXPECT_TRUE(agrees(at::stack(columns, 1), given.want("per_dimension")));
  const Tensor free = code_cost(*kl(given.option("free_nats")), mean, log_variance);
  EXPECT_TRUE(agrees(free, given.want("free_per_example")));
  EXPECT_FALSE(agrees(free, given.want("per_example")));
}
const Claim kCode({"kl_standard_normal"}, code);

Tensor log_variance_of(Metric& metric) { return metric.named_parameters()["log_variance"]; }

void set_to(Tensor parameter, const Tensor& value) {
  const torch::NoGradGuard no_gradient;
  parameter.copy_(value);
}

void likelihood(const Golden& given) {
  const auto metric = part<Metric>("gaussian_nll", "", plain_setting(4));
  const Tensor parameter = log_variance_of(*metric);
  ASSERT_EQ(parameter.numel(), 1);
  set_to(parameter, given.in("log_variance"));
  const Tensor prediction = given.in("prediction"), target = given.in("target");
  const BandLoss loss = loss_of(*metric, prediction, target);
  EXPECT_TRUE(agrees(loss.loss, given.want("per_example")));
  EXPECT_TRUE(agrees(mean_of(loss), given.want("mean")));
  EXPECT_TRUE(agrees(mean_of(loss) / std::numbers::ln2, given.want("bits_per_number")));
  const auto single = [](const Tensor& x) { return x.view({-1, 1, 4}); };
  EXPECT_TRUE(
      agrees(loss_of(*metric, single(prediction), single(target)).loss, given.want("per_token")));
  EXPECT_TRUE(agrees(gradient(loss.loss.mean(), parameter), given.want("derivative")));
  set_to(parameter, given.want("best_log_variance"));
  const Tensor flat = gradient(loss_of(*metric, prediction, target).loss.mean(), parameter);
  EXPECT_LT(flat.abs().item<double>(), 1e-6);
}
const Claim kLikelihood({"gaussian_nll"}, likelihood);

// A linear VAE of our likelihood and our cost of the code.
struct LinearVae {
  Tensor data;  // [N, D]
  std::shared_ptr<Metric> metric;
  Tensor decoder, encoder, latent_log_variance;  // [D, Z], [Z, D], [Z]

  LinearVae(const Tensor& of, const Tensor& w, const Tensor& v, const Tensor& variance,
            const Tensor& noise_variance)
      : data(of),
        metric(part<Metric>("gaussian_nll", "", plain_setting(of.size(1)))),
        decoder(leaf(w)),
        encoder(leaf(v)),
        latent_log_variance(leaf(variance.log())) {
    set_to(log_variance_of(*metric), noise_variance.log());
  }

  Tensor mean() const { return data.matmul(encoder.t()); }
  // Expectation over the code: z = μ ± √Z·s_i·e_i has its mean and covariance, so that the average
  // over these 2Z points is exact for a quadratic. [N]
  Tensor reconstruction() const {
    const int64_t width = latent_log_variance.size(0);
    const Tensor steps =
        at::diag((latent_log_variance / 2).exp() * std::sqrt(static_cast<double>(width)));
    Tensor sum = at::zeros({data.size(0)}, at::kDouble);
    for (int64_t i = 0; i < width; ++i)
      for (const double sign : {1.0, -1.0}) {
        const Tensor decoded = (mean() + sign * steps[i]).matmul(decoder.t());
        sum = sum + loss_of(*metric, decoded.unsqueeze(1), data.unsqueeze(1)).loss.sum(1);
      }
    return sum / static_cast<double>(2 * width);
  }
  Tensor cost() const {
    return code_cost(*kl(), mean(), latent_log_variance.expand({data.size(0), -1}));
  }
  Tensor elbo() const { return -reconstruction() - cost(); }
  // Of the mean ELBO, by name.
  std::map<std::string, Tensor> gradients() const {
    const Tensor bound = elbo().mean();
    const auto found = torch::autograd::grad(
        {bound}, {decoder, encoder, latent_log_variance, log_variance_of(*metric)});
    return {{"decoder", found[0]},
            {"encoder", found[1]},
            {"latent_log_variance", found[2]},
            {"log_variance", found[3]}};
  }
};

void check_bound(const Golden& given, const LinearVae& vae) {
  EXPECT_TRUE(agrees(vae.cost(), given.want("kl")));
  EXPECT_TRUE(agrees(vae.reconstruction(), given.want("reconstruction_nll")));
  EXPECT_TRUE(agrees(vae.elbo(), given.want("elbo")));
}

// At the optimum the bound is the likelihood of probabilistic PCA, and all gradients vanish.
void optimum(const Golden& given) {
  const LinearVae vae(given.in("data"), given.want("decoder"), given.want("encoder"),
                      given.want("latent_variance"), given.want("noise_variance"));
  check_bound(given, vae);
  EXPECT_TRUE(agrees(vae.elbo(), given.want("log_likelihood")));
  EXPECT_TRUE(agrees(vae.elbo().mean(), given.want("mean_log_likelihood")));
  for (const auto& [name, value] : vae.gradients())
    EXPECT_LT(value.abs().max().item<double>(), 1e-6) << name;
  // A weight β of the code other than 1, or a variance that is not trained, has another optimum.
  const auto shifted =
      gradient(-vae.reconstruction().mean() - 1.01 * vae.cost().mean(), vae.encoder);
  EXPECT_GT(shifted.abs().max().item<double>(), 1e-4);
}
const Claim kOptimum({"probabilistic_pca"}, optimum);

void elsewhere(const Golden& given) {
  const LinearVae vae(given.in("data"), given.in("decoder"), given.in("encoder"),
                      given.in("latent_variance"), given.in("noise_variance"));
  check_bound(given, vae);
  for (const auto& [name, value] : vae.gradients())
    EXPECT_TRUE(agrees(value, given.want("gradient_" + name))) << name;
}
const Claim kElsewhere({"linear_vae_elsewhere"}, elsewhere);

// The scale is zero to start with, so its bias is u at every level.
void learned_scale(const Golden& given) {
  Setting setting;
  setting.levels = true;
  setting.target.pixels = true;
  const auto weight = part<Weight>("log_variance", "", setting);
  Tensor bias = weight->named_parameters()["scale.bias"];
  NoiseField field;
  field.level = at::full({1}, 0.3, at::kDouble);
  const auto at_scale = [&](const Tensor& u, const Tensor& loss, const Tensor& count) {
    set_to(bias, u);
    return weight->at_level({loss.view({1, 1}), count.view({1, 1})}, field).loss;
  };
  for (int64_t i = 0; i < 6; ++i) {
    const auto cell = [i](const Tensor& x) { return x.view(-1)[i]; };
    const Tensor loss = cell(given.in("loss")), count = cell(given.in("count"));
    const Tensor balanced = at_scale(cell(given.in("u")), loss, count);
    EXPECT_TRUE(agrees(balanced, cell(given.want("loss"))));
    EXPECT_TRUE(agrees(gradient(balanced.sum(), bias), cell(given.want("derivative"))));
    const Tensor best = at_scale(cell(given.want("best_u")), loss, count);
    EXPECT_TRUE(agrees(best, cell(given.want("best_loss"))));
    EXPECT_LT(gradient(best.sum(), bias).abs().item<double>(), 1e-6);
  }
}
const Claim kLearnedScale({"learned_log_variance"}, learned_scale);

}  // namespace
}  // namespace assay
