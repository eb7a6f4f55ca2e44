// The variational bound of diffusion on Gaussian data, of our levels, metric and weight, against
// golden values.
#include <cmath>

#include "tests/objective/golden.h"

namespace assay {
namespace {

// x ~ N(0, diag(variances)) as seen through z = α·x + σ·ε, predicted by x̂ = gain·z.
struct GaussianDenoising {
  Tensor variances;     // [D]
  Tensor alpha, sigma;  // [K, 1]

  Tensor best_gain() const {  // [K, D]
    return alpha * variances / (alpha.square() * variances + sigma.square());
  }
  // E|x̂ - x|² by our metric, exactly: x and ε together at the points ±√(2D)·e_j in units of their
  // deviations, as tokens of one example. [K]
  Tensor error(const Tensor& gain) const {
    const int64_t width = variances.size(0), levels = alpha.size(0), points = 4 * width;
    const Tensor directions =
        at::eye(2 * width, at::kDouble) * std::sqrt(2.0 * static_cast<double>(width));
    const Tensor both = at::cat({directions, -directions});  // [4D, 2D]
    const Tensor x = both.narrow(1, 0, width) * variances.sqrt();
    const Tensor noise = both.narrow(1, width, width);
    const Tensor z = alpha.unsqueeze(2) * x + sigma.unsqueeze(2) * noise;  // [K, 4D, D]
    const auto metric = part<Metric>("squared_error", "", plain_setting(width));
    const Tensor loss =
        loss_of(*metric, gain.unsqueeze(1) * z, x.expand({levels, points, width})).loss.sum(1);
    return loss / static_cast<double>(points);
  }
};

// The published gain is where the gradient of our loss vanishes, and its error is the published
// one.
void best_denoiser(const Golden& given) {
  const GaussianDenoising problem{given.in("variances"), given.in("alpha").view({-1, 1}),
                                  given.in("sigma").view({-1, 1})};
  EXPECT_TRUE(agrees(problem.best_gain(), given.want("gain")));
  const Tensor gain = leaf(given.want("gain"));
  const Tensor error = problem.error(gain);
  EXPECT_TRUE(agrees(error, given.want("error").sum(1)));
  EXPECT_LT(gradient(error.sum(), gain).abs().max().item<double>(), 1e-7);
  for (int64_t d = 0; d < 5; ++d) {
    const GaussianDenoising one{problem.variances.narrow(0, d, 1), problem.alpha, problem.sigma};
    EXPECT_TRUE(agrees(one.error(one.best_gain()), given.want("error").select(1, d))) << d;
  }
}
const Claim kBestDenoiser({"best_denoiser"}, best_denoiser);

// All levels of law `steps`: one example at the mid-point of each of the K equal parts of u.
struct Bound {
  NoiseField field;
  Tensor weights, errors, losses;  // [K]

  Bound(const Tensor& variances, int64_t levels, double highest, double lowest) {
    const auto law = part<LevelLaw>("steps", fmt::format("steps = {}\n", levels) +
                                                 real_option("highest", highest) +
                                                 real_option("lowest", lowest));
    const Tensor u = (at::arange(levels, at::kDouble) + 0.5) / static_cast<double>(levels);
    field.level = law->quantile(u);
    field.path = Path::variance_preserving;
    std::tie(field.alpha, field.sigma) = mixing(field.level.view({-1, 1, 1}), field.path);
    field.bound = weights = law->bound(u);
    const GaussianDenoising problem{variances, field.alpha.squeeze(2), field.sigma.squeeze(2)};
    errors = problem.error(problem.best_gain());
    losses = weighted("x", errors);
  }
  // Errors of a prediction of that kind, weighted by the bound.
  Tensor weighted(const std::string& parametrisation, const Tensor& error) const {
    Setting setting;
    setting.levels = setting.bound = true;
    setting.target.pixels = true;
    setting.target.parametrisation = parametrisation;
    const auto weight = part<Weight>("variational", "", setting);
    return weight->at_level({error.view({-1, 1}), at::ones({error.size(0), 1}, at::kDouble)}, field)
        .loss.squeeze(1);
  }
};

void variational_bound(const Golden& given) {
  const Bound ours(given.in("variances"), static_cast<int64_t>(given.option("levels")),
                   given.option("log_snr_max"), given.option("log_snr_min"));
  const auto levels = static_cast<int64_t>(given.option("levels"));
  EXPECT_TRUE(agrees(ours.field.snr(), given.want("snr").narrow(0, 1, levels)));
  EXPECT_TRUE(agrees(ours.weights, given.want("weights")));
  EXPECT_TRUE(agrees(ours.errors, given.want("errors")));
  EXPECT_TRUE(agrees(ours.losses, given.want("loss_per_level")));
  EXPECT_TRUE(agrees(ours.losses.mean(), given.want("bound")));
  EXPECT_GT(ours.losses.mean().item<double>(), given.want("limit").item<double>());
  // The same error in the spaces of ε and v costs the same nats.
  const Tensor sigma_squared = ours.field.sigma.view(-1).square();
  EXPECT_TRUE(
      agrees(ours.weighted("eps", ours.errors * ours.field.snr()).mean(), given.want("bound")));
  EXPECT_TRUE(agrees(ours.weighted("v", ours.errors / sigma_squared).mean(), given.want("bound")));
}
const Claim kVariationalBound({"variational_bound_1", "variational_bound_2", "variational_bound_4",
                               "variational_bound_16"},
                              variational_bound);

// With many levels the bound is what the noise hides: the entropy of the data less what is left at
// the cleanest level and what the noisiest still tells. It falls to that limit as 1/K.
void continuous_bound(const Golden& given) {
  const double limit = (given.want("entropy") - given.want("entropy_given_cleanest") -
                        given.want("information_of_noisiest"))
                           .item<double>();
  EXPECT_NEAR(limit, given.want("limit").item<double>(), 1e-7);
  const auto excess = [&](int64_t levels) {
    const Bound ours(given.in("variances"), levels, given.option("log_snr_max"),
                     given.option("log_snr_min"));
    return ours.losses.mean().item<double>() - limit;
  };
  const double few = excess(2000), many = excess(20000);
  EXPECT_GT(many, 0);
  EXPECT_LT(many, 1e-3 * limit);
  EXPECT_NEAR(few / many, 10, 0.1);
}
const Claim kContinuousBound({"variational_bound_entropy"}, continuous_bound);

}  // namespace
}  // namespace assay
