// Noise levels, spaces of denoising losses and the variational bound against golden values.
#include <cmath>

#include "tests/objective/golden.h"

namespace assay {
namespace {

// Golden numbers per example as one token: [B, P] to [B, 1, P].
Tensor token(const Tensor& x) { return x.unsqueeze(1); }

NoiseField field_of(const Tensor& alpha, const Tensor& sigma, Path path) {
  NoiseField field;
  field.alpha = alpha.reshape({-1, 1, 1});
  field.sigma = sigma.reshape({-1, 1, 1});
  field.level = (sigma / (alpha + sigma)).reshape(-1);
  field.path = path;
  return field;
}
NoiseField field_at(const Tensor& share, Path path) {
  const auto [alpha, sigma] = mixing(share, path);
  return field_of(alpha, sigma, path);
}

// Golden cases lie on the variance-preserving path, on the straight one, or on neither.
Path path_of_case(const Golden& given) {
  return given.name.ends_with("preserving") ? Path::variance_preserving : Path::linear;
}
bool on_path(const Golden& given) { return !given.name.ends_with("general"); }
// What the velocity of our path is called there: v on the preserving path, flow on the straight
// one.
std::string velocity(const Golden& given) {
  return given.name.ends_with("preserving") ? "v" : "flow";
}
NoiseField field_of_case(const Golden& given) {
  const Tensor alpha = given.in("alpha"), sigma = given.in("sigma");
  NoiseField field = field_of(alpha, sigma, path_of_case(given));
  if (on_path(given)) {  // the noise share alone gives both
    const auto [own_alpha, own_sigma] = mixing(field.level, field.path);
    EXPECT_TRUE(agrees(own_alpha, alpha));
    EXPECT_TRUE(agrees(own_sigma, sigma));
  }
  return field;
}

// Losses [B] of a prediction in the space `parametrisation`, weighted by level.
Tensor weighted(const std::string& kind, const std::string& toml,
                const std::string& parametrisation, const Tensor& loss, const NoiseField& field) {
  Setting setting;
  setting.levels = setting.bound = true;
  setting.target.pixels = true;
  setting.target.parametrisation = parametrisation;
  const auto weight = part<Weight>(kind, toml, setting);
  return weight->at_level({loss.view({-1, 1}), at::ones_like(loss).view({-1, 1})}, field)
      .loss.squeeze(1);
}
Tensor ones_for(const NoiseField& field) { return at::ones_like(field.level); }

std::shared_ptr<Metric> squares(int64_t outputs, const std::string& toml = "") {
  return part<Metric>("squared_error", toml, plain_setting(outputs));
}
Tensor error_of(Metric& metric, const Tensor& prediction, const Tensor& target,
                const NoiseField& field = {}) {
  return loss_of(metric, token(prediction), token(target), field).loss.sum(1);
}
// What `target pixels` asks for. [B, P]
Tensor target_of(const std::string& predict, const Tensor& clean, const Tensor& noise,
                 const NoiseField& field) {
  Setting setting;
  setting.levels = true;
  setting.tokens = {1, clean.size(1)};
  View view;
  view.field = field;
  view.clean = token(clean);
  view.input.noise = token(noise);
  return part<Target>("pixels", fmt::format("predict = \"{}\"", predict), setting)
      ->values(view)
      .squeeze(1);
}

// Unit errors of x: the loss is the weight. Off both paths, v and flow are not ours.
void space_weights(const Golden& given) {
  const NoiseField field = field_of_case(given);
  const Tensor one = ones_for(field);
  EXPECT_TRUE(agrees(field.snr(), given.want("snr")));
  EXPECT_TRUE(agrees(weighted("snr", "", "x", one, field), given.want("eps")));
  if (!on_path(given)) return;
  const auto metric = squares(1, "space = \"v\"\nclip = 0.0001");
  const Tensor ours =
      error_of(*metric, one.view({-1, 1}), at::zeros({one.size(0), 1}, at::kDouble), field);
  EXPECT_TRUE(agrees(ours, given.want(velocity(given))));
  if (field.path == Path::variance_preserving) {  // EDM at σd = 1
    EXPECT_TRUE(agrees(weighted("edm", "data_sd = 1.0", "x", one, field), given.want("v")));
  }
}
const Claim kSpaceWeights({"space_weights_preserving", "space_weights_straight",
                           "space_weights_general"},
                          space_weights);

void denoising(const Golden& given) {
  const NoiseField field = field_of_case(given);
  const Tensor clean = given.in("clean"), noise = given.in("noise");
  const Tensor predicted = given.in("predicted");
  // The mixture, with the golden noise in place of our own.
  const std::vector<int64_t> ids(static_cast<size_t>(clean.size(0)), 1), replicas = ids;
  const Corrupted mixed = corrupt_tokens(field, token(clean), {ids, replicas}, Seed(2), 1);
  EXPECT_TRUE(
      agrees(mixed.tokens + field.sigma * (token(noise) - mixed.noise), given.want("noisy")));

  const auto metric = squares(4);
  const Tensor loss_x = error_of(*metric, predicted, clean);
  EXPECT_TRUE(agrees(loss_x, given.want("loss_x")));
  EXPECT_TRUE(agrees(target_of("eps", clean, noise, field), given.want("eps_target")));
  const Tensor loss_eps =
      error_of(*metric, given.want("eps_prediction"), target_of("eps", clean, noise, field));
  EXPECT_TRUE(agrees(loss_eps, given.want("loss_eps")));
  EXPECT_TRUE(agrees(weighted("snr", "", "x", loss_x, field), given.want("loss_eps")));
  EXPECT_TRUE(agrees(weighted("snr", "", "eps", loss_eps, field), given.want("loss_eps")));
  if (!on_path(given)) return;

  const std::string v = velocity(given);
  const Tensor target = target_of("v", clean, noise, field);
  EXPECT_TRUE(agrees(target, given.want(v + "_target")));
  const Tensor loss_v = error_of(*metric, given.want(v + "_prediction"), target);
  EXPECT_TRUE(agrees(loss_v, given.want("loss_" + v)));
  EXPECT_TRUE(agrees(weighted("snr", "", "v", loss_v, field), given.want("loss_eps")));
  const auto of_x = squares(4, "space = \"v\"\nclip = 0.0001");
  EXPECT_TRUE(agrees(error_of(*of_x, predicted, clean, field), given.want("loss_" + v)));
  // The other path's velocity is another target.
  const std::string other = v == "v" ? "flow" : "v";
  EXPECT_FALSE(agrees(target, given.want(other + "_target")));
}
const Claim kDenoising({"denoising_losses_preserving", "denoising_losses_straight",
                        "denoising_losses_general"},
                       denoising);

// The error of an output o, weighted as SNR·|x̂ - x|², is that of the x̂ which o means.
void outputs(const Golden& given) {
  const NoiseField field = field_of_case(given);
  const Tensor output = given.in("output"), clean = output.flip(0) * 0.7 + 0.1;
  const Tensor noise =
      ((token(given.in("noisy")) - field.alpha * token(clean)) / field.sigma).squeeze(1);
  const auto metric = squares(4);
  const auto check = [&](const std::string& predict, const std::string& name) {
    const Tensor loss = error_of(*metric, output, target_of(predict, clean, noise, field));
    const Tensor of_x = error_of(*metric, given.want("x_of_" + name), clean);
    EXPECT_TRUE(agrees(weighted("snr", "", predict, loss, field), field.snr() * of_x)) << name;
  };
  check("x", "x");
  check("eps", "eps");
  if (on_path(given)) check("v", velocity(given));
}
const Claim kOutputs({"x_of_outputs_preserving", "x_of_outputs_straight", "x_of_outputs_general"},
                     outputs);

void min_snr(const Golden& given) {
  const NoiseField field = field_at(1 / (1 + given.in("snr").sqrt()), Path::variance_preserving);
  EXPECT_TRUE(agrees(field.snr(), given.in("snr")));
  const std::string gamma = real_option("gamma", given.option("gamma"));
  for (const std::string space : {"x", "eps", "v"})
    EXPECT_TRUE(
        agrees(weighted("min_snr", gamma, space, ones_for(field), field), given.want(space)))
        << space;
}
const Claim kMinSnr({"min_snr"}, min_snr);

// α = 1. The weight depends on σ/α alone, so the linear path at the same ratio has it too.
void edm(const Golden& given) {
  const Tensor sigma = given.in("sigma");
  const std::string data_sd = real_option("data_sd", given.option("data_deviation"));
  const NoiseField field = field_of(at::ones_like(sigma), sigma, Path::linear);
  EXPECT_TRUE(agrees(weighted("edm", data_sd, "x", ones_for(field), field), given.want("weight")));
  const NoiseField linear = field_at(field.level, Path::linear);
  EXPECT_TRUE(agrees(weighted("edm", data_sd, "x", ones_for(field), linear), given.want("weight")));
  const Tensor loss = error_of(*squares(4), given.want("denoised"), given.in("clean"));
  EXPECT_TRUE(agrees(loss, given.want("loss_x")));
  EXPECT_TRUE(agrees(weighted("edm", data_sd, "x", loss, field), given.want("weighted_loss")));
  EXPECT_TRUE(agrees(weighted("edm", data_sd, "x", loss, field), given.want("loss_output")));
}
const Claim kEdm({"edm"}, edm);

void velocity_from_x(const Golden& given) {
  const NoiseField field = field_at(given.in("share"), Path::linear);
  const std::string toml =
      fmt::format("space = \"v\"\n{}", real_option("clip", given.option("clip")));
  const auto metric = squares(4, toml);
  const BandLoss loss =
      loss_of(*metric, token(given.in("predicted")), token(given.in("clean")), field);
  EXPECT_TRUE(agrees(loss.loss, given.want("per_example")));
  EXPECT_TRUE(agrees(mean_of(loss), given.want("mean")));
  const Tensor one = ones_for(field).view({-1, 1});
  EXPECT_TRUE(
      agrees(error_of(*squares(1, toml), one, at::zeros_like(one), field), given.want("weight")));
}
const Claim kVelocityFromX({"velocity_from_x"}, velocity_from_x);

// Nichol and Dhariwal's offset .008 is not ours: its golden quantiles differ from those of
// `cosine`.
void level_laws(const Golden& given) {
  const Tensor u = given.in("u");
  const auto quantile = [&](const std::string& kind, const std::string& toml = "") {
    return part<LevelLaw>(kind, toml)->quantile(u);
  };
  EXPECT_TRUE(agrees(quantile("uniform"), given.want("uniform")));
  EXPECT_TRUE(agrees(quantile("logit-normal"), given.want("logit_normal_jit")));
  EXPECT_TRUE(agrees(quantile("logit-normal", "mean = 0.0\nsd = 1.0"),
                     given.want("logit_normal_standard")));
  const Tensor edm_share = quantile("log-normal");
  EXPECT_TRUE(agrees(edm_share, given.want("log_normal_edm")));
  const NoiseField edm_field = field_at(edm_share, Path::linear);
  EXPECT_TRUE(agrees(edm_field.sigma / edm_field.alpha, given.want("log_normal_edm_sigma")));
  EXPECT_TRUE(agrees(edm_field.snr().log(), given.want("log_normal_edm_log_snr")));
  const Tensor cosine = quantile("cosine");
  EXPECT_TRUE(agrees(cosine, given.want("cosine_plain")));
  EXPECT_FALSE(agrees(cosine, given.want("cosine")));
  const NoiseField field = field_at(cosine, Path::variance_preserving);
  EXPECT_TRUE(agrees(field.alpha, given.want("cosine_plain_alpha")));
  EXPECT_TRUE(agrees(field.sigma, given.want("cosine_plain_sigma")));
  EXPECT_TRUE(agrees(field.snr().log(), given.want("cosine_plain_log_snr")));
}
const Claim kLevelLaws({"level_laws"}, level_laws);

}  // namespace
}  // namespace assay
