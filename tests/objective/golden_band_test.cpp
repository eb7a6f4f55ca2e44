// Frequency bands, likelihoods by band and the release of bands against golden values.
#include <numbers>

#include "assay/tensor/patches.h"
#include "tests/objective/golden.h"

namespace assay {
namespace {

using Basis = BandSpectrum::Basis;

Tensor one_band(int64_t rows, int64_t bands, int64_t band) {
  Tensor gain = at::zeros({rows, bands}, at::kDouble);
  gain.select(1, band).fill_(1);
  return gain;
}

void haar_rings(const Golden& given) {
  const Tensor images = given.in("images").unsqueeze(1);
  const BandSpectrum spectrum(8, 4, Basis::haar);
  const Tensor matrix = haar_matrix(8);
  EXPECT_TRUE(agrees(matrix.matmul(images).matmul(matrix.t()), given.want("coefficients")));
  EXPECT_TRUE(agrees(spectrum.energy(images), given.want("energies")));
  EXPECT_TRUE(agrees(spectrum.energy(images).sum(1), given.want("total")));
  EXPECT_TRUE(agrees(at::tensor(spectrum.coefficients(), at::kDouble), given.want("counts")));
  Tensor gain = at::zeros({2, 4}, at::kDouble);
  for (int64_t band = 0; band < 4; ++band) {
    gain.select(1, band).fill_(1);
    EXPECT_TRUE(agrees(spectrum.filter(images, gain), given.want("low_pass")[band])) << band;
  }
}
const Claim kHaarRings({"haar_rings"}, haar_rings);

void cosine_octaves(const Golden& given) {
  const Tensor images = given.in("images").unsqueeze(1);
  const BandSpectrum spectrum(8, 4);
  const Tensor matrix = dct_matrix(8);
  EXPECT_TRUE(agrees(matrix.matmul(images).matmul(matrix.t()), given.want("coefficients")));
  EXPECT_TRUE(agrees(spectrum.energy(images), given.want("energies")));
  EXPECT_TRUE(agrees(spectrum.energy(images).sum(1), given.want("total")));
  EXPECT_FALSE(agrees(BandSpectrum(8, 4, Basis::haar).energy(images), given.want("energies")));
}
const Claim kCosineOctaves({"cosine_octaves"}, cosine_octaves);

// Patches of 4 of images of 8 with one channel, all of them with loss.
Setting image_setting(int64_t size, int64_t bands) {
  Setting setting;
  setting.model.patch = 4;
  setting.data = {Modality::image, 1, size, 0};
  setting.tokens = {size * size / 16, 16};
  setting.bands = bands;
  setting.target.outputs = 16;
  setting.target.parametrisation = "x";
  setting.target.pixels = true;
  return setting;
}

Tensor set_log_variance(Metric& metric, const Tensor& value) {
  const torch::NoGradGuard no_gradient;
  Tensor parameter = metric.named_parameters()["log_variance"];
  parameter.copy_(value);
  return parameter;
}

// An error with the golden energies: in each band, some pattern at the energy's square root.
void band_likelihood(const Golden& given) {
  const BandSpectrum spectrum(4, 3);
  EXPECT_TRUE(agrees(at::tensor(spectrum.coefficients(), at::kDouble), given.in("counts")));
  const Tensor pattern = at::arange(32, at::kDouble).mul(1.7).add(0.4).sin().view({2, 1, 4, 4});
  Tensor error = at::zeros_like(pattern);
  for (int64_t band = 0; band < 3; ++band) {
    const Tensor part_of = spectrum.filter(pattern, one_band(2, 3, band));
    const Tensor scale =
        (given.in("energies").select(1, band) / part_of.square().sum({1, 2, 3})).sqrt();
    error = error + part_of * scale.view({2, 1, 1, 1});
  }
  const Tensor target = at::full({2, 1, 16}, 0.3, at::kDouble);
  const Tensor prediction = target + patchify(error, 4);
  const auto metric = part<Metric>("gaussian_nll", "variance = \"band\"", image_setting(4, 3));
  const Tensor parameter = set_log_variance(*metric, given.in("log_variance"));
  const BandLoss loss = loss_of(*metric, prediction, target);
  EXPECT_TRUE(agrees(loss.loss, given.want("per_band")));
  EXPECT_TRUE(agrees(loss.loss.sum(1), given.want("per_example")));
  EXPECT_TRUE(agrees(loss.targets[0], given.in("counts")));
  set_log_variance(*metric, given.want("best_log_variance"));
  const Tensor flat = gradient(loss_of(*metric, prediction, target).loss.sum(), parameter);
  EXPECT_LT(flat.abs().max().item<double>(), 1e-6);
}
const Claim kBandLikelihood({"band_nll"}, band_likelihood);

// What the corruption `bands` draws: each row has one band to predict, sees the lower ones, and its
// loss counts K times.
void next_band(const Golden& given) {
  Setting setting = image_setting(8, 4);
  const auto corrupt = part<Corrupt>("bands", "basis = \"haar\"\noctaves = 4", setting);
  setting.spectrum = corrupt->spectrum();
  std::vector<int64_t> ids(64);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i);
  const std::vector<int64_t> replicas(ids.size(), 0);
  const RowKeys rows{ids, replicas};
  const NoiseField field =
      corrupt->field(rows, Draw::from(Seed(9), 0), at::TensorOptions(at::kDouble));
  const Tensor image = at::arange(64, at::kLong).remainder(2), band = field.band_loss.argmax(1);
  const Tensor cell = image * 4 + band;
  const auto of_cells = [&](const Tensor& x) { return x.flatten(0, 1).index_select(0, cell); };
  EXPECT_EQ(std::get<0>(at::_unique(band)).numel(), 4);

  const Tensor target = patchify(given.in("images").index_select(0, image).unsqueeze(1), 4);
  const Tensor prediction = patchify(of_cells(given.in("predictions")).unsqueeze(1), 4);
  const auto metric = part<Metric>("gaussian_nll", "variance = \"band\"", setting);
  set_log_variance(*metric, 2 * given.in("log_deviations"));
  const BandLoss loss = loss_of(*metric, prediction, target, field);
  EXPECT_TRUE(agrees(loss.loss.sum(1) / 4, of_cells(given.want("nats"))));
  EXPECT_TRUE(agrees(loss.loss.sum(1) / loss.targets.sum(1) / std::numbers::ln2,
                     of_cells(given.want("bits_per_number"))));
  EXPECT_TRUE(agrees(loss.targets.sum(1) / 4, given.want("counts").index_select(0, band)));
  const auto squares = part<Metric>("squared_error", "", setting);
  EXPECT_TRUE(agrees(loss_of(*squares, prediction, target, field).loss.sum(1) / 4,
                     of_cells(given.want("energies"))));

  // The trunk sees the bands below: of band 0 nothing, of band k what the rings up to k - 1 hold.
  const Tensor low = at::cat({at::zeros({1, 2, 8, 8}, at::kDouble),
                              golden("haar_rings").want("low_pass").narrow(0, 0, 3)});
  const Tensor seen = corrupt_tokens(field, target, rows, Seed(1), 1).tokens;
  EXPECT_TRUE(agrees(unpatchify(seen, 4, 1), of_cells(low.transpose(0, 1))));
}
const Claim kNextBand({"next_band"}, next_band);

// All bands in turn, each once: the chain rule, and the best deviations.
void next_band_sum(const Golden& given) {
  Setting setting = image_setting(8, 4);
  setting.spectrum = std::make_shared<BandSpectrum>(8, 4, Basis::haar);
  const auto metric = part<Metric>("gaussian_nll", "variance = \"band\"", setting);
  const Tensor target = patchify(given.in("images").unsqueeze(1), 4);
  const auto sum = [&] {
    Tensor total = at::zeros({2}, at::kDouble);
    for (int64_t band = 0; band < 4; ++band) {
      NoiseField field;
      field.band_loss = one_band(2, 4, band);
      const Tensor prediction = patchify(given.in("predictions").select(1, band).unsqueeze(1), 4);
      total = total + loss_of(*metric, prediction, target, field).loss.sum(1);
    }
    return total;
  };
  set_log_variance(*metric, 2 * given.in("log_deviations"));
  EXPECT_TRUE(agrees(sum(), given.want("per_example")));
  const Tensor parameter = set_log_variance(*metric, 2 * given.want("best_log_deviations"));
  EXPECT_LT(gradient(sum().sum(), parameter).abs().max().item<double>(), 1e-6);
}
const Claim kNextBandSum({"next_band"}, next_band_sum);

void release(const Golden& given) {
  const Setting setting = image_setting(8, 4);
  const std::vector<Cell> cells{{"pixels", -1, 0}, {"pixels", -1, 2}, {"pixels", -1, 3}};
  for (int64_t b = 0; b < 4; ++b) {
    const auto weight =
        part<Weight>("release",
                     real_option("from", given.in("start")[b].item<double>()) +
                         real_option("to", given.in("end")[b].item<double>()) + "withheld = 1",
                     setting);
    std::vector<double> highest;
    for (int64_t i = 0; i < given.in("progress").size(0); ++i) {
      const std::vector<double> at = weight->weights(cells, given.in("progress")[i].item<double>());
      EXPECT_EQ(at[0], 1);
      EXPECT_EQ(at[1], 1);
      highest.push_back(at[2]);
    }
    EXPECT_TRUE(agrees(at::tensor(highest, at::kDouble), given.want("weights").select(1, b))) << b;
  }
}
const Claim kRelease({"release_schedule"}, release);

}  // namespace
}  // namespace assay
