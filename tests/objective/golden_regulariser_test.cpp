// VICReg and SIGReg with their invariance terms against golden values.
#include "assay/objective/regularise/sigreg.h"
#include "assay/tensor/noise.h"
#include "tests/objective/golden.h"

namespace assay {
namespace {

const Draw kDraw = Draw::from(Seed(5), 0);

// Mean over comparisons, examples and numbers of the squared error between views.
Tensor invariance(const Tensor& z, const std::string& match) {
  const int64_t width = z.size(2);
  const auto target =
      part<Target>("other_views", fmt::format("outputs = {}\nmatch = \"{}\"", width, match));
  const auto metric = part<Metric>("squared_error", "", plain_setting(width, Tokens::pooled));
  return compared(*target, *metric, views_of(z)).mean() / static_cast<double>(width);
}

std::shared_ptr<Regularise> vicreg(const Golden& given, const std::string& normalisation) {
  return part<Regularise>("vicreg", real_option("variance", given.option("variance")) +
                                        real_option("covariance", given.option("covariance")) +
                                        fmt::format("normalisation = \"{}\"", normalisation));
}

// What training adds up: each component times its weight, averaged over examples.
Tensor weighted(const Regularise& regulariser, const Tensor& loss) {
  const std::vector<double> weights = regulariser.weights(0);
  return loss.mean(0).matmul(at::tensor(weights, at::kDouble));
}

void check_vicreg(const Golden& given, const std::string& normalisation) {
  const auto regulariser = vicreg(given, normalisation);
  EXPECT_EQ(regulariser->components(), (std::vector<std::string>{"variance", "covariance"}));
  const Tensor z = leaf(given.in("views"));
  const Tensor parts = regulariser->loss(views_of(z), kDraw, {});
  ASSERT_EQ(parts.sizes(), at::IntArrayRef({16, 2}));
  const Tensor mse = invariance(z, "each");
  EXPECT_TRUE(agrees(mse, given.want("invariance")));
  EXPECT_TRUE(agrees(parts.select(1, 0).mean(), given.want("variance")));
  EXPECT_TRUE(agrees(parts.select(1, 1).mean(), given.want("covariance")));
  const Tensor loss = given.option("invariance") * mse + weighted(*regulariser, parts);
  EXPECT_TRUE(agrees(loss, given.want("loss")));
  EXPECT_TRUE(agrees(gradient(loss, z), given.want("gradient")));
}

void official(const Golden& given) { check_vicreg(given, "official"); }
const Claim kOfficial({"vicreg_official_gaussian", "vicreg_official_narrow",
                       "vicreg_official_collapsed"},
                      official);

void eb_jepa(const Golden& given) { check_vicreg(given, "mean"); }
const Claim kEbJepa({"vicreg_eb_jepa_gaussian", "vicreg_eb_jepa_narrow",
                     "vicreg_eb_jepa_collapsed"},
                    eb_jepa);

// Official (25, 50, 25·80/(D - 1)) is 25 times the other normalisation at (1, 1, 80).
void equivalence(const Golden& given) {
  check_vicreg(given, "official");
  const std::string features = given.name.substr(given.name.rfind('_') + 1);
  const auto mean = vicreg(golden("vicreg_eb_jepa_" + features), "mean");
  const Tensor z = given.in("views");
  const Tensor loss = invariance(z, "each") + weighted(*mean, mean->loss(views_of(z), kDraw, {}));
  EXPECT_TRUE(agrees(given.option("equals") * loss, given.want("loss")));
}
const Claim kEquivalence({"vicreg_equivalence_gaussian", "vicreg_equivalence_narrow",
                          "vicreg_equivalence_collapsed"},
                         equivalence);

// Shrunk by √((N - 1)/N), unbiased variances become the biased ones: the golden values tell them
// apart, and so do they the normalisations.
TEST(GoldenRegulariser, VicregFaultsAreSeen) {
  const Golden& given = golden("vicreg_official_gaussian");
  const Tensor z = given.in("views");
  const auto regulariser = vicreg(given, "official");
  const Tensor biased = regulariser->loss(views_of(z * std::sqrt(15.0 / 16)), kDraw, {}).mean(0);
  EXPECT_FALSE(agrees(biased[0], given.want("variance")));
  EXPECT_FALSE(agrees(biased[1], given.want("covariance")));
  const Tensor mean = vicreg(given, "mean")->loss(views_of(z), kDraw, {}).mean(0);
  EXPECT_FALSE(agrees(mean[0], given.want("variance")));
  EXPECT_FALSE(agrees(mean[1], given.want("covariance")));
}

// A published variant of SIGReg: how its statistic is made of epps_pulley.
struct Variant {
  std::string name, match;
  SigregQuadrature quadrature;
  bool times_samples, flattened;
};
const Variant kLejepa{"lejepa", "mean", {17, true}, true, false};
const Variant kMean{"eb_jepa", "each", {10, false}, false, false};
const Variant kFlattened{"flattened", "mean", {17, true}, true, true};

// [samples, M]
Tensor per_slice(const Variant& variant, const Tensor& views, const Tensor& slices) {
  std::vector<Tensor> samples = views.unbind(0), rows;
  if (variant.flattened) samples = {views.flatten(0, 1)};
  for (const Tensor& z : samples)
    rows.push_back(epps_pulley(z, slices, variant.quadrature) *
                   (variant.times_samples ? static_cast<double>(z.size(0)) : 1.0));
  return at::stack(rows);
}

// The part draws its slices; with those of its draw it must give what per_slice gives, and with the
// golden slices per_slice must give the golden values.
void check_sigreg(const Golden& given, const Variant& variant) {
  const Tensor z = leaf(given.in("views"));
  const Tensor statistic = per_slice(variant, z, given.in("slices"));
  EXPECT_TRUE(agrees(statistic, given.want("per_slice")));
  EXPECT_TRUE(agrees(statistic.mean(), given.want("sigreg")));
  const Tensor agreement = invariance(z, variant.match);
  EXPECT_TRUE(agrees(agreement, given.want("invariance")));

  const auto regulariser =
      part<Regularise>("sigreg", real_option("weight", given.option("weight")) +
                                     fmt::format("variant = \"{}\"\nslices = 7", variant.name));
  const double weight = regulariser->weights(0).at(0);
  EXPECT_EQ(weight, given.option("weight"));
  const double of_invariance = variant.name == "lejepa" ? 1 - weight : 1;
  const Tensor loss = of_invariance * agreement + weight * statistic.mean();
  EXPECT_TRUE(agrees(loss, given.want("loss")));
  EXPECT_TRUE(agrees(gradient(loss, z), given.want("gradient")));

  const Tensor raw = normal_tensor(kDraw.pattern.child("slices"), {4, 7}, 1).to(at::kDouble);
  const Tensor drawn = per_slice(variant, z, raw / raw.norm(2, 0, true)).mean();
  const Tensor ours = regulariser->loss(views_of(z), kDraw, {});
  ASSERT_EQ(ours.sizes(), at::IntArrayRef({16, 1}));
  EXPECT_TRUE(agrees(ours, drawn.detach().expand({16, 1})));
  EXPECT_TRUE(agrees(gradient(ours.mean(), z), gradient(drawn, z)));
}

void lejepa(const Golden& given) { check_sigreg(given, kLejepa); }
const Claim kLejepaCases({"sigreg_lejepa_gaussian", "sigreg_lejepa_narrow",
                          "sigreg_lejepa_collapsed"},
                         lejepa);
void sigreg_mean(const Golden& given) { check_sigreg(given, kMean); }
const Claim kMeanCases({"sigreg_eb_jepa_gaussian", "sigreg_eb_jepa_narrow",
                        "sigreg_eb_jepa_collapsed"},
                       sigreg_mean);
void flattened(const Golden& given) { check_sigreg(given, kFlattened); }
const Claim kFlattenedCases({"sigreg_flattened_gaussian", "sigreg_flattened_narrow",
                             "sigreg_flattened_collapsed"},
                            flattened);

// Each part against the golden case of another variant: a lost factor N, another quadrature or one
// sample instead of two is far outside the tolerance.
TEST(GoldenRegulariser, SigregVariantsDiffer) {
  const Golden& given = golden("sigreg_lejepa_gaussian");
  const Tensor z = given.in("views"), slices = given.in("slices");
  const Tensor want = given.want("sigreg");
  EXPECT_FALSE(agrees(per_slice(kMean, z, slices).mean(), want));
  EXPECT_FALSE(agrees(per_slice(kMean, z, slices).mean() * 16, want));  // the quadrature
  EXPECT_FALSE(agrees(per_slice(kFlattened, z, slices).mean(), want));
  EXPECT_FALSE(agrees(per_slice({"", "", {17, true}, false, false}, z, slices).mean(), want));
  EXPECT_FALSE(agrees(per_slice({"", "", {16, true}, true, false}, z, slices).mean(), want));
  // Doubled by symmetry: half the line gives what the whole line gives.
  EXPECT_TRUE(agrees(per_slice({"", "", {33, false}, true, false}, z, slices).mean(), want));
}

}  // namespace
}  // namespace assay
