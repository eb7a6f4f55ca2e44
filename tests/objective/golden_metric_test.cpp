// Metrics of single tokens, and the targets they are compared with, against golden values.
#include "assay/objective/target/features.h"
#include "assay/objective/target/token_choice.h"
#include "tests/objective/golden.h"

namespace assay {
namespace {

// Our losses are sums over numbers and tokens: one token at a time gives the golden sums per token.
void check_sums(const Golden& given, Metric& metric, const Tensor& prediction,
                const Tensor& target) {
  const auto single = [](const Tensor& x) { return x.flatten(0, 1).unsqueeze(1); };
  if (given.expected.count("per_token")) {
    EXPECT_TRUE(agrees(loss_of(metric, single(prediction), single(target)).loss.sum(1),
                       given.want("per_token")));
  }
  const BandLoss loss = loss_of(metric, prediction, target);
  EXPECT_TRUE(agrees(loss.loss.sum(1), given.want("per_example")));
  EXPECT_TRUE(agrees(mean_of(loss), given.want("mean")));
}

void squared_error(const Golden& given) {
  const auto metric = part<Metric>("squared_error", "", plain_setting(4));
  check_sums(given, *metric, given.in("prediction"), given.in("target"));
}
const Claim kSquaredError({"squared_error"}, squared_error);

void smooth_l1(const Golden& given) {
  const auto metric =
      part<Metric>("smooth_l1", real_option("beta", given.option("beta")), plain_setting(4));
  check_sums(given, *metric, given.in("prediction"), given.in("target"));
}
const Claim kSmoothL1({"smooth_l1_beta_1", "smooth_l1_beta_2", "smooth_l1_beta_0.05"}, smooth_l1);

TEST(GoldenMetric, BetaMatters) {
  const Golden& given = golden("smooth_l1_beta_1");
  const auto metric = part<Metric>("smooth_l1", "beta = 1.001", plain_setting(4));
  EXPECT_FALSE(agrees(mean_of(loss_of(*metric, given.in("prediction"), given.in("target"))),
                      given.want("mean")));
}

void jepa(const Golden& given) {
  const Tensor target = averaged_layers({given.in("teacher")}, 1, true);
  EXPECT_TRUE(agrees(target, given.want("target")));
  const auto metric =
      part<Metric>("smooth_l1", real_option("beta", given.option("beta")), plain_setting(8));
  check_sums(given, *metric, given.in("prediction"), target);
}
const Claim kJepa({"jepa_smooth_l1"}, jepa);

void data2vec(const Golden& given) {
  const std::vector<Tensor> layers = given.in("layers").unbind(0);
  const auto count = static_cast<int64_t>(given.option("layers"));
  const Tensor target = averaged_layers(layers, count, true);
  EXPECT_TRUE(agrees(target, given.want("target")));
  const auto metric =
      part<Metric>("smooth_l1", real_option("beta", given.option("beta")), plain_setting(8));
  check_sums(given, *metric, given.in("prediction"), target);
  // To normalise the average instead is the published variant, and another target.
  const Tensor variant = averaged_layers({averaged_layers(layers, count, false)}, 1, true);
  EXPECT_TRUE(agrees(variant, given.want("target_of_mean")));
  EXPECT_TRUE(agrees(mean_of(loss_of(*metric, given.in("prediction"), variant)),
                     given.want("mean_of_variant")));
  EXPECT_FALSE(agrees(variant, given.want("target")));
  EXPECT_FALSE(agrees(averaged_layers(layers, count + 1, true), given.want("target")));
}
const Claim kData2vec({"data2vec"}, data2vec);

// Output t against the embedding of token t + 1. Ours is 1 - cos, the published loss -cos.
void nepa(const Golden& given) {
  const auto metric = part<Metric>("cosine");
  const NoiseField field;
  const Tensor prediction = select_tokens(given.in("outputs"), field, Tokens::next);
  const Tensor target = target_tokens(given.in("embeddings"), field, Tokens::next);
  const BandLoss loss = loss_of(*metric, prediction, target);
  EXPECT_TRUE(agrees(loss.loss.sum(1) - 4, given.want("per_example")));
  EXPECT_TRUE(agrees(mean_of(loss) - 1, given.want("mean")));
  const BandLoss single =
      loss_of(*metric, prediction.flatten(0, 1).unsqueeze(1), target.flatten(0, 1).unsqueeze(1));
  EXPECT_TRUE(agrees(single.loss.sum(1) - 1, given.want("per_token")));
}
const Claim kNepa({"nepa_cosine"}, nepa);

void quantised_pixels(const Golden& given) {
  Setting setting;
  setting.tokens = {3, 12};
  const auto levels = static_cast<int64_t>(given.option("levels"));
  const auto target = part<Target>("quantised_pixels",
                                   fmt::format("levels = {}\ntokens = \"all\"", levels), setting);
  View view;
  view.clean = given.in("pixels");
  const Tensor classes = target->values(view);
  EXPECT_TRUE(at::equal(classes, given.want("classes")));
  setting.target = target->info();
  const auto metric = part<Metric>("cross_entropy", "", setting);
  check_sums(given, *metric, given.in("logits").flatten(2), classes);
  // One variable at a time.
  setting.target.classes = {levels};
  const auto one = part<Metric>("cross_entropy", "", setting);
  const BandLoss numbers =
      loss_of(*one, given.in("logits").view({-1, 1, levels}), classes.view({-1, 1, 1}));
  EXPECT_TRUE(agrees(numbers.loss, given.want("per_number")));
}
const Claim kQuantisedPixels({"pixel_cross_entropy"}, quantised_pixels);

void label(const Golden& given) {
  Setting setting;
  setting.data.factors = {{"class", 5}};
  const auto target = part<Target>("label", "", setting);
  View view;
  view.batch.labels = given.in("labels").unsqueeze(1);
  setting.target = target->info();
  const auto metric = part<Metric>("cross_entropy", "", setting);
  check_sums(given, *metric, given.in("logits").unsqueeze(1), target->values(view));
}
const Claim kLabel({"label_cross_entropy_0"}, label);

// No target of ours smooths labels, but the metric takes the distribution that smoothing makes.
void distribution(const Golden& given) {
  const double smoothing = given.option("label_smoothing");
  const Tensor q =
      at::one_hot(given.in("labels"), 5).to(at::kDouble) * (1 - smoothing) + smoothing / 5;
  const auto metric = part<Metric>("cross_entropy", "", plain_setting(5, Tokens::pooled));
  check_sums(given, *metric, given.in("logits").unsqueeze(1), q.unsqueeze(1));
}
const Claim kDistribution({"label_cross_entropy_0", "label_cross_entropy_0.1"}, distribution);

// Rows mask different numbers of patches, so each is a batch of its own. The error is split into
// bands of the patch; they add up to the plain error.
void mae(const Golden& given) {
  Setting setting;
  setting.model.patch = 2;
  setting.data = {Modality::image, 3, 4, 0};
  setting.tokens = {4, 12};
  View view;
  view.clean = given.in("patches");
  const auto all = part<Target>("pixels", "normalise = \"patch\"", setting);
  EXPECT_TRUE(agrees(all->values(view), given.want("target")));

  const auto target = part<Target>("pixels", "normalise = \"patch\"\ntokens = \"masked\"", setting);
  setting.target = target->info();
  const auto metric = part<Metric>("squared_error", "", setting);
  EXPECT_EQ(metric->bands().size(), 2u);
  const auto single = [](const Tensor& x) { return x.flatten(0, 1).unsqueeze(1); };
  EXPECT_TRUE(agrees(
      loss_of(*metric, single(given.in("prediction")), single(all->values(view))).loss.sum(1),
      given.want("per_token")));

  Tensor sum = at::zeros({}, at::kDouble), targets = at::zeros_like(sum);
  std::vector<Tensor> per_example;
  for (int64_t b = 0; b < 2; ++b) {
    View row;
    row.clean = view.clean.narrow(0, b, 1);
    row.field.masked = given.in("mask")[b].nonzero().view({1, -1});
    const BandLoss loss = loss_of(
        *metric, select_tokens(given.in("prediction").narrow(0, b, 1), row.field, Tokens::masked),
        target->values(row), row.field);
    per_example.push_back(loss.loss.sum());
    sum = sum + loss.loss.sum();
    targets = targets + loss.targets.sum();
  }
  EXPECT_TRUE(agrees(at::stack(per_example), given.want("per_example")));
  EXPECT_TRUE(agrees(sum / targets, given.want("loss")));
}
const Claim kMae({"mae_norm"}, mae);

}  // namespace
}  // namespace assay
