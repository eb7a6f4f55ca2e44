// Demand against closed forms: target SNR, conditional signal, and the faults that they must catch.
#include "toy.h"

#include <cmath>
#include <numbers>
#include <numeric>

#include "assay/measure/demand/conditional.h"
#include "assay/measure/demand/ratio.h"
#include "assay/measure/demand/target_losses.h"
#include "assay/stats/noise_accumulator.h"

namespace assay {
namespace {

using demand::MeanRatio;

const std::vector<double> kSpectrum = {4, 2, 1, .5, .25, .125, .06, .03};

auto denoiser(Tensor weight, std::vector<double> levels, int64_t bands = 1) {
  return [=]() -> std::shared_ptr<Objective> {
    return std::make_shared<toy::Denoiser>(weight, levels, bands);
  };
}

std::vector<Measurement> demand(Subject& subject, const std::string& options) {
  return toy::meter("demand", options)->measure(subject);
}

// snr.md 4.3, W = w·I: L_k = Σ over the band of (w² (λ + s²) − 2wλ + λ)/2, L_null = Σ λ/2.
double denoising_snr(double w, double s, size_t from, size_t to) {
  double loss = 0, null = 0;
  for (size_t k = from; k < to; ++k) {
    const double lambda = kSpectrum[k];
    loss += w * w * (lambda + s * s) - 2 * w * lambda + lambda;
    null += lambda;
  }
  return null / loss - 1;
}

// H0: target SNR by level and band is the closed form, 20 cells, level 1e-6 each. 4,000 held-out
// examples: standard errors of 2 to 6%, so that an SNR 30% off is found with power .9.
TEST(Demand, LinearDenoisingHasItsClosedForm) {
  const toy::GaussianData train(kSpectrum, 8000, 1), heldout(kSpectrum, 4000, 2);
  const std::vector<double> levels = {.1, 1};
  Subject subject = toy::subject(denoiser(.6 * torch::eye(8), levels, 4), train, heldout);
  const auto all = demand(subject, "fit = 8000\nscore = 4000\nunits = 0");
  for (size_t level = 0; level < 2; ++level) {
    const std::string name = std::to_string(level);
    EXPECT_TRUE(toy::compatible(toy::find(all, "target_snr", {{"level", name}}, {"band"}),
                                denoising_snr(.6, levels[level], 0, 8), 3999));
    for (size_t band = 0; band < 4; ++band)
      EXPECT_TRUE(toy::compatible(
          toy::find(all, "target_snr", {{"level", name}, {"band", "band" + std::to_string(band)}}),
          denoising_snr(.6, levels[level], 2 * band, 2 * band + 2), 3999))
          << level << " " << band;
  }
  double null = 0;
  for (const double lambda : kSpectrum) null += lambda / 2;
  EXPECT_TRUE(toy::compatible(toy::find(all, "null_loss", {}, {"level", "band"}), null, 3999));
}

// H0: predicting the mean has target SNR 0, covered at level 1e-6 although the paired differences
// of two constants are tiny. Interval over 500 scored examples; the luck of a fit to 4,000 adds 6%
// to its width. A null without correction would be 1/4000 off, more than the whole half-width.
TEST(Demand, PredictionWithoutInputHasTargetSnrZero) {
  const std::vector<double> white(512, 1.0);
  const toy::GaussianData train(white, 4000, 1), heldout(white, 500, 2);
  Subject subject = toy::subject(denoiser(torch::zeros({512, 512}), {1}), train, heldout);
  const auto all = demand(subject, "fit = 4000\nscore = 500\nunits = 0");
  const Measurement snr = toy::find(all, "target_snr", {}, {"level", "band"});
  EXPECT_TRUE(toy::compatible(snr, 0, 499));
  EXPECT_LT((*snr.high - *snr.low) / 2, 1. / 4000);
}

// Rows of N(0, 1) as targets of a squared error without any input.
Compared white_rows(Seed seed, int64_t rows, int64_t outputs) {
  Compared c;
  c.term = "white";
  c.target = toy::normal(seed, 0, 0, rows * outputs).view({rows, 1, outputs});
  c.prediction = torch::zeros_like(c.target);
  c.outputs = outputs;
  c.places = 1;
  c.loss = [](const Tensor& prediction, const Tensor& target, const Tensor&) {
    const Tensor loss = (prediction - target).square().sum({1, 2}).unsqueeze(1);
    return LossMap{loss, torch::ones_like(loss)};
  };
  return c;
}

MeanRatio snr_of(const Compared& c, const Tensor& null) {
  const Tensor loss = c.loss(c.prediction, c.target, {}).loss.to(torch::kFloat64);
  const Tensor gain = (null - loss).contiguous(), own = loss.contiguous();
  const auto span = [](const Tensor& t) {
    return std::span(t.const_data_ptr<double>(), static_cast<size_t>(t.numel()));
  };
  return demand::ratio_of_means(span(gain), span(own), "the loss");
}

// Planted faults on targets that nothing predicts (truth: SNR 0, 512 rows of 256 numbers): a null
// fitted on the scored rows themselves says that predictions are worse than nothing, one without
// correction that they are better; ours covers 0.
TEST(Demand, NullFittedOnScoredExamplesIsCaught) {
  const Compared fitted = white_rows(Seed(1), 512, 256), scored = white_rows(Seed(2), 512, 256);
  demand::Null proper, leaked;
  proper.add(fitted);
  proper.fit();
  leaked.add(scored);
  leaked.fit();
  const MeanRatio ours = snr_of(scored, proper.loss(scored));
  // The luck of a fit to as many rows as are scored doubles the variance; level 1e-6.
  EXPECT_LT(std::abs(ours.estimate.value),
            std::sqrt(2.0) * student_quantile(1 - 5e-7, 511) * ours.estimate.standard_error);
  EXPECT_LT(snr_of(scored, leaked.plain_loss(scored)).estimate.high, -1. / 1024);
  EXPECT_GT(snr_of(scored, proper.plain_loss(scored)).estimate.low, 1. / 1024);
}

TEST(Demand, SameExamplesInBothSplitsAreRefused) {
  const toy::GaussianData data(kSpectrum, 400, 1);
  Subject subject = toy::subject(denoiser(torch::eye(8), {1}), data, data);
  try {
    demand(subject, "fit = 400\nscore = 300\nunits = 0");
    FAIL() << "the null was scored on what it was fitted on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "measure.leak");
  }
}

// W = I without noise gives the target itself: no ratio, and the record says so.
TEST(Demand, DeterministicTargetHasNoRatio) {
  const toy::GaussianData train(kSpectrum, 500, 1), heldout(kSpectrum, 300, 2);
  Subject subject = toy::subject(denoiser(torch::eye(8), {0}), train, heldout);
  const auto all = demand(subject, "fit = 400\nscore = 200\nunits = 0");
  const Measurement snr = toy::find(all, "target_snr", {}, {"level", "band"});
  EXPECT_TRUE(std::isnan(snr.value));
  EXPECT_EQ(snr.note, "undefined: the loss is 0");
  EXPECT_GT(*toy::find(all, "null_loss", {}, {"level", "band"}).low, 0);
}

TEST(Demand, RatioWithDenominatorAroundZeroHasALowerEndOnly) {
  const std::vector<double> gain = {5, 6, 5.5, 6.5, 5, 6}, loss = {.0, .4, .0, .0, .1, .0};
  const MeanRatio ratio = demand::ratio_of_means(gain, loss, "the loss");
  EXPECT_TRUE(std::isnan(ratio.estimate.low));
  EXPECT_EQ(ratio.note.substr(0, 2), "> ") << ratio.note;
  // The end is where the paired t-test of gain − r·loss just rejects no more.
  const double end = std::stod(ratio.note.substr(2));
  std::vector<double> difference;
  for (size_t i = 0; i < gain.size(); ++i) difference.push_back(gain[i] - end * loss[i]);
  EXPECT_NEAR(mean_interval(difference).low, 0, .05);
}

// Images 1 × 8 × 8 of independent pixels N(mean of the place, 1/4); a label that is the sign of
// the image's deviation in brightness, or of noise that is in no image.
class PixelData : public Dataset {
 public:
  PixelData(int64_t size, uint64_t seed, bool labels_see = true)
      : size_(size), seed_(seed), labels_see_(labels_see) {
    info_.kind = "pixels";
    info_.channels = 1;
    info_.image_size = 8;
    info_.hash = fmt::format("pixels {}", seed);
    info_.factors = {{"sign", 2, 1, "content"}};
    means_ = torch::linspace(-1, 1, 64);
  }
  const DatasetInfo& info() const override { return info_; }
  int64_t size() const override { return size_; }
  Batch get(std::span<const int64_t> ids) const override {
    Batch batch;
    batch.ids.assign(ids.begin(), ids.end());
    batch.replicas = replicas_of(ids);
    std::vector<Tensor> rows, labels;
    for (const int64_t id : ids) {
      const Tensor z = toy::normal(seed_, id, 0, 64);
      rows.push_back(means_ + .5 * z);
      labels.push_back((labels_see_ ? z : toy::normal(seed_, id, 1, 64)).sum().gt(0).view({1}));
    }
    batch.images = torch::stack(rows).view({-1, 1, 8, 8});
    batch.labels = torch::stack(labels).to(torch::kInt64);
    return batch;
  }

 private:
  DatasetInfo info_;
  int64_t size_;
  Seed seed_;
  bool labels_see_;
  Tensor means_;
};

// Windows of 16 bytes: independent, from 4 letters of probability 1/2, 1/4, 1/8, 1/8; at even
// places of `byplace` from other letters.
class LetterData : public Dataset {
 public:
  LetterData(int64_t size, uint64_t seed, bool by_place)
      : size_(size), seed_(seed), by_place_(by_place) {
    info_.kind = "letters";
    info_.modality = Modality::text;
    info_.window = 16;
  }
  const DatasetInfo& info() const override { return info_; }
  int64_t size() const override { return size_; }
  Batch get(std::span<const int64_t> ids) const override {
    Batch batch;
    batch.ids.assign(ids.begin(), ids.end());
    batch.replicas = replicas_of(ids);
    batch.bytes = torch::zeros({std::ssize(ids), 17}, torch::kInt64);
    for (size_t b = 0; b < ids.size(); ++b)
      for (int64_t t = 0; t < 17; ++t) {
        const double u = uniform(seed_.child(static_cast<uint64_t>(t)), ids[b], 0);
        const int64_t letter = u < .5 ? 0 : u < .75 ? 1 : u < .875 ? 2 : 3;
        batch.bytes[static_cast<int64_t>(b)][t] = 97 + letter + (by_place_ && t % 2 ? 4 : 0);
      }
    batch.labels = torch::zeros({std::ssize(ids), 0}, torch::kInt64);
    return batch;
  }

 private:
  DatasetInfo info_;
  int64_t size_;
  Seed seed_;
  bool by_place_;
};

std::function<std::shared_ptr<Objective>()> preset_on(const std::string& name,
                                                      const Dataset& data) {
  const DatasetInfo& info = data.info();
  DataShape shape;
  if (info.modality == Modality::text)
    shape = {.modality = Modality::text, .window = info.window};
  else
    shape = {.channels = 1, .image_size = 8, .factors = info.factors};
  ModelConfig model;
  model.width = 32;
  model.depth = 1;
  model.patch = 4;
  const Node resolved =
      resolve_objective(parse_toml(fmt::format("preset = \"{}\"", name), "test"), model, shape);
  return [=] { return make_objective(resolved, model, shape, Seed(3)); };
}

// H0: the null's loss per target is the entropy of what does not see the input; level 1e-6 each.
// 2,048 windows of 16: a standard error of .003 nat. 4 letters of 1/2 … 1/8 have 1.75 bits,
// whether letters change with the place or not.
TEST(Demand, NullOfTokensIsTheirEntropy) {
  for (const bool by_place : {false, true}) {
    const LetterData train(4096, 1, by_place), heldout(2048, 2, by_place);
    Subject subject = toy::subject(preset_on("token", train), train, heldout);
    const auto all = demand(subject, "fit = 4096\nscore = 2048\nunits = 0");
    const Measurement null = toy::find(all, "null_loss", {{"term", "next"}});
    EXPECT_EQ(null.unit, "nat");
    EXPECT_TRUE(toy::compatible(null, 1.75 * std::numbers::ln2, 2047)) << by_place;
    // An untrained model is worse than that: the SNR is not clamped at 0.
    EXPECT_LT(toy::find(all, "target_snr", {{"term", "next"}}).value, 0);
  }
}

// H0 (level 1e-6 each): through the real terms, pixels of N(μ_place, 1/4) have null losses of 1/4
// (x, hidden patches), 1 + 1/4 (v = ε − x on the linear path), 1 (ε) and ½ ln(2πe/4) nats.
TEST(Demand, NullOfPixelsKnowsThePlace) {
  const PixelData train(4096, 1), heldout(2048, 2);
  const std::map<std::string, double> truth = {
      {"mae", .25},
      {"flow", 1.25},
      {"denoise-eps", 1},
      {"vae", std::log(2 * std::numbers::pi * std::numbers::e / 4) / 2}};
  for (const auto& [name, expected] : truth) {
    Subject subject = toy::subject(preset_on(name, train), train, heldout);
    const auto all = demand(subject, "fit = 4096\nscore = 2048\nunits = 0");
    EXPECT_TRUE(toy::compatible(
        toy::find(all, "null_loss", {{"term", "pixels"}}, {"level", "band"}), expected, 2047))
        << name;
  }
}

// v = α·ε − σ·x with α² + σ² = 1: mean −σ·μ, variance α² + σ²/4. Against the loss of a null that
// is told μ, replayed on the meter's own examples and draws.
TEST(Demand, NullFollowsTheNoiseLevel) {
  const PixelData train(4096, 1), heldout(1024, 2);
  Subject subject = toy::subject(preset_on("denoise-v", train), train, heldout);
  const demand::TargetLosses losses =
      demand::target_losses(subject, train, heldout, {4096, 1024, 1});
  const int64_t levels = subject.objective().level_bins();
  // E[α² + σ²/4] within each bin: σ from the level law's quantiles through the losses' own draws
  // is not visible here; the truth is between the variances at the ends of the bin.
  const Tensor by_level = losses.null.sum(0).view({levels, -1}).sum(1) /
                          losses.targets.sum(0).view({levels, -1}).sum(1);
  EXPECT_GT(by_level[0].item<double>(), .9);                  // nearly clean: v is noise
  EXPECT_NEAR(by_level[levels - 1].item<double>(), .25, .1);  // nearly noise: v is -x less mean
  for (int64_t j = 1; j < levels; ++j)
    EXPECT_LT(by_level[j].item<double>(), by_level[j - 1].item<double>());
}

// A constant of the metric's own space: exact forms, 4,096 rows.
Compared rows_for(const NullForm& form, const Tensor& target,
                  std::function<Tensor(const Tensor&, const Tensor&, const Tensor&)> loss) {
  Compared c;
  c.term = "t";
  c.null = form;
  c.target = target;
  c.outputs = target.size(2);
  c.places = target.size(1);
  c.loss = [=](const Tensor& p, const Tensor& y, const Tensor& log_variance) {
    const Tensor value = loss(p, y, log_variance).unsqueeze(1);
    return LossMap{value, torch::ones_like(value)};
  };
  return c;
}

TEST(Demand, NullsOfOtherMetricsAreTheBestConstants) {
  // Log-normal: its mean, median (1) and Huber locations all differ.
  const Tensor skewed = toy::normal(Seed(4), 0, 0, 4096).exp().view({-1, 1, 1});
  const auto huber = [](const Tensor& p, const Tensor& y, const Tensor&) {
    return at::smooth_l1_loss(p, y, at::Reduction::None, .3).sum({1, 2});
  };
  const Compared of_huber = rows_for({.kind = NullKind::huber, .parameter = .3}, skewed, huber);
  const Tensor cloud =
      toy::normal(Seed(5), 0, 0, 4096 * 3).view({-1, 1, 3}) + torch::tensor({1.0f, 0.0f, -.5f});
  const auto cosine = [](const Tensor& p, const Tensor& y, const Tensor&) {
    return 1 - at::cosine_similarity(p, y, 2, 1e-8).squeeze(1);
  };
  const Compared of_cosine = rows_for({.kind = NullKind::direction}, cloud, cosine);
  for (const auto& [c, step] : {std::pair{of_huber, .03}, std::pair{of_cosine, .05}}) {
    demand::Null null;
    null.add(c);
    null.fit();
    const double best = null.plain_loss(c).mean().item<double>();
    // No other constant is better on the same rows.
    for (const int64_t number : {int64_t{0}, c.outputs - 1})
      for (const double sign : {-1., 1.}) {
        Compared moved = c;
        moved.loss = [&, step = step](const Tensor& p, const Tensor& y, const Tensor& v) {
          Tensor q = p.clone();
          q.select(2, number) += sign * step * p.norm(2, -1);
          return c.loss(q, y, v);
        };
        EXPECT_GT(null.plain_loss(moved).mean().item<double>(), best);
      }
  }
}

// snr.md 4.3 with target and input of different examples: G_marginal = W A, so G_conditional = −S
// at any weights. H0: |G_conditional|² = |S|²_F, |G_marginal|² = |W A|²_F and the share
// <−S, W A − S>/|W A − S|², level 1e-6 each; 512 units of 4, standard errors of about 5%.
TEST(Demand, ConditionalSignalOfLinearDenoisingIsTheCovariance) {
  const toy::GaussianData train(kSpectrum, 100'000, 1), heldout(kSpectrum, 400, 2);
  const double w = .3, s = .5;
  Subject subject = toy::subject(denoiser(w * torch::eye(8), {s}), train, heldout);
  const auto all = demand(subject, "fit = 200\nscore = 200\nunits = 512");
  double conditional = 0, marginal = 0, whole = 0, product = 0;
  for (const double lambda : kSpectrum) {
    const double c = -lambda, m = w * (lambda + s * s);
    conditional += c * c;
    marginal += m * m;
    whole += (c + m) * (c + m);
    product += c * (c + m);
  }
  const std::map<std::string, std::string> trunk = {{"group", "trunk"}};
  EXPECT_TRUE(toy::compatible(toy::find(all, "conditional_signal", trunk), conditional, 511));
  EXPECT_TRUE(toy::compatible(toy::find(all, "marginal_signal", trunk), marginal, 511));
  EXPECT_TRUE(toy::compatible(toy::find(all, "conditional_share", trunk), product / whole, 511));
}

// 48 units of 8 images under the preset `supervised`.
double conditional_p_value(bool labels_see) {
  const PixelData train(2000, 7, labels_see), heldout(400, 8, labels_see);
  Subject subject = toy::subject(preset_on("supervised", train), train, heldout);
  demand::ConditionalGradients source(subject.objective(), subject.parameters(), train);
  const NoisePlan plan{.units = 48, .examples_per_unit = 8, .draws = 2, .by_part = true};
  NoiseAccumulator accumulator(source, plan, Seed(9), 1);
  std::vector<int64_t> ids(48 * 8);
  std::iota(ids.begin(), ids.end(), 0);
  accumulator.add(ids);
  for (const NoiseUnits& row : accumulator.units())
    if (row.group == "head" && row.part == "conditional")
      return zero_signal_p_value(row.units.means);
  throw std::logic_error("no conditional part");
}

// H0: labels that do not depend on the image leave no conditional signal (level 1e-6, one-sided;
// 48 units). Power: labels that do are found with p below 1e-6 on the same images and weights.
TEST(Demand, ShuffledTargetsLeaveNoConditionalSignal) {
  EXPECT_GT(conditional_p_value(false), 1e-6);
  EXPECT_LT(conditional_p_value(true), 1e-6);
}

// White data in 32 dimensions: |G_conditional|² = |S|²_F = 32 (above). 48 units of 2: standard
// error about 2.5. Planted fault: |ḡ|² of the mean, without products of different units, is larger
// by tr Σ/48, about 27.
TEST(Demand, SquareOfTheMeanIsBiased) {
  const toy::GaussianData train(std::vector<double>(32, 1.0), 2000, 3), heldout(kSpectrum, 10, 2);
  Subject subject = toy::subject(denoiser(.5 * torch::eye(32), {.5}), train, heldout);
  demand::ConditionalGradients source(subject.objective(), subject.parameters(), train);
  const NoisePlan plan{.units = 48, .examples_per_unit = 2, .draws = 2, .by_part = true};
  NoiseAccumulator accumulator(source, plan, Seed(9), 1);
  std::vector<int64_t> ids(96);
  std::iota(ids.begin(), ids.end(), 0);
  accumulator.add(ids);
  for (const NoiseUnits& row : accumulator.units()) {
    if (row.group != "trunk" || row.part != "conditional") continue;
    const double unbiased = accumulator.view().at("trunk", "euclidean", "conditional").signal.value;
    EXPECT_NEAR(unbiased, 32, 12);
    EXPECT_GT(row.units.means.mean_squared, 32 + 12);
    return;
  }
  FAIL() << "no conditional part";
}

TEST(Demand, ShuffleThatLeavesFixedPointsIsCaught) {
  const toy::GaussianData train(kSpectrum, 1000, 1), heldout(kSpectrum, 400, 2);
  Subject subject = toy::subject(denoiser(torch::eye(8), {1}), train, heldout);
  const auto refused = [&](std::function<Tensor(int64_t)> rows_of, std::vector<int64_t> ids) {
    demand::ConditionalGradients source(subject.objective(), subject.parameters(), train, rows_of);
    std::vector<float> out(static_cast<size_t>(2 * source.size()));
    try {
      source.gradient_by_part(ids, Draw::from(Seed(1), 1), out);
    } catch (const Error& error) {
      return error.code() == std::string("measure.shuffle");
    }
    return false;
  };
  const auto one_stays = [](int64_t) { return torch::tensor({1, 0, 2, 4, 3}, torch::kLong); };
  EXPECT_TRUE(refused(one_stays, {1, 2, 3, 4, 5}));
  EXPECT_TRUE(refused(demand::next_row, {1, 2, 2, 4, 5})) << "the same example twice";
  EXPECT_TRUE(refused(demand::next_row, {1}));
  EXPECT_FALSE(refused(demand::next_row, {1, 2, 3, 4, 5}));
}

TEST(Demand, PartsSumToTheGradientAndAreCharged) {
  const toy::GaussianData train(kSpectrum, 1000, 1), heldout(kSpectrum, 400, 2);
  Subject subject = toy::subject(denoiser(.5 * torch::eye(8), {1}), train, heldout);
  demand::ConditionalGradients source(subject.objective(), subject.parameters(), train);
  const std::vector<int64_t> ids = {3, 1, 7, 9};
  const Draw draw = Draw::from(Seed(1), 1);
  const auto size = static_cast<size_t>(source.size());
  std::vector<float> whole(size), parts(2 * size);
  source.gradient(ids, draw, whole);
  source.gradient_by_part(ids, draw, parts);
  for (size_t i = 0; i < size; ++i) EXPECT_NEAR(parts[i] + parts[size + i], whole[i], 1e-5);
  subject.flops_spent = 0;
  demand(subject, "fit = 100\nscore = 50\nunits = 8");
  // Toy: 3 MFLOP a training pass, a third of that without gradient; two passes for each of 8
  // units of 4 examples and 2 draws.
  EXPECT_DOUBLE_EQ(subject.flops_spent, 3e6 * (100 / 3. + 50 / 3. + 8 * 4 * 2 * 2));
}

}  // namespace
}  // namespace assay
