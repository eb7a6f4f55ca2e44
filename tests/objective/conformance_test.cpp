// What every preset must fulfil: walks the compiled-in presets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "assay/core/error.h"
#include "tests/objective/fixture.h"

namespace assay {
namespace {

class Preset : public testing::TestWithParam<std::string> {
 protected:
  DataShape data() const { return data_for(GetParam()); }
  Batch batch(const std::vector<int64_t>& ids) const { return make_batch(ids, data()); }
  // Every draw of these is the same.
  bool random() const {
    return !std::set<std::string>{"token", "pixel-ar", "pixel-token", "nepa"}.contains(GetParam());
  }
  // Bands decide what is trained, so that they are no diagnostic.
  bool bands_are_part() const { return GetParam() == "release" || GetParam() == "next-band"; }
  bool has_density() const { return GetParam() == "vae" || GetParam() == "next-band"; }
};

const Draw kDraw = Draw::from(Seed(11), 0);
const std::vector<int64_t> kIds = {3, 8, 21, 40, 41};

TEST_P(Preset, ShapesAndDtypesFiniteAndCounted) {
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    const auto objective = make_preset(GetParam());
    objective->to(dtype);
    const LossMap map = objective->losses(batch(kIds), kDraw);
    const auto cells = static_cast<int64_t>(objective->cells().size());
    for (const Tensor& tensor : {map.loss, map.targets}) {
      EXPECT_EQ(tensor.sizes(), at::IntArrayRef({5, cells}));
      EXPECT_EQ(tensor.scalar_type(), dtype);
      EXPECT_TRUE(at::isfinite(tensor).all().item<bool>());
    }
    EXPECT_TRUE(map.loss.requires_grad());
    EXPECT_FALSE(map.targets.requires_grad());
    EXPECT_TRUE(has_density() || (map.loss >= 0).all().item<bool>());
    EXPECT_TRUE((map.loss.masked_select(map.targets == 0) == 0).all().item<bool>());
    EXPECT_EQ(objective->weights(0).size(), objective->cells().size());
    std::set<std::tuple<std::string, int, int>> distinct;
    for (const Cell& cell : objective->cells())
      distinct.insert({cell.term, cell.level_bin, cell.band});
    EXPECT_EQ(distinct.size(), objective->cells().size());
  }
}

TEST_P(Preset, FloatAndDoubleAgree) {
  const auto single = make_preset(GetParam()), exact = make_preset(GetParam());
  exact->to(at::kDouble);
  const Tensor a = single->losses(batch(kIds), kDraw).loss.to(at::kDouble);
  const Tensor b = exact->losses(batch(kIds), kDraw).loss;
  EXPECT_LT(largest(a - b), 1e-4 * b.abs().mean().item<double>());
}

TEST_P(Preset, ReplaysInAnotherBatchComposition) {
  const auto objective = make_preset(GetParam());
  const Tensor whole = objective->losses(batch(kIds), kDraw).loss;
  if (objective->coupled()) {  // then only the same batch replays
    EXPECT_EQ(largest(whole - objective->losses(batch(kIds), kDraw).loss), 0);
    const Tensor other = objective->losses(batch({3, 8, 21, 40, 99}), kDraw).loss;
    EXPECT_GT(largest((other - whole).narrow(0, 0, 4)), 0);
    return;
  }
  const double tolerance = 1e-6 * whole.sum(1).abs().mean().item<double>();
  EXPECT_EQ(largest(whole - objective->losses(batch(kIds), kDraw).loss), 0);
  for (size_t b = 0; b < kIds.size(); ++b) {
    const Tensor alone = objective->losses(batch({kIds[b]}), kDraw).loss[0];
    EXPECT_LT(largest(alone - whole[static_cast<int64_t>(b)]), tolerance);
    const Tensor moved = objective->losses(batch({100, kIds[b], 7}), kDraw).loss[1];
    EXPECT_LT(largest(moved - whole[static_cast<int64_t>(b)]), tolerance);
  }
}

TEST_P(Preset, AnotherDrawDiffersIfThereIsAny) {
  const auto objective = make_preset(GetParam());
  const Tensor a = objective->losses(batch(kIds), kDraw).loss.sum(1);
  const Tensor b = objective->losses(batch(kIds), Draw::from(Seed(12), 0)).loss.sum(1);
  EXPECT_EQ((a != b).any().item<bool>(), random());
  EXPECT_EQ((a == b).all().item<bool>(), !random());
}

TEST_P(Preset, LevelStaysWhenThePatternIsRedrawn) {
  const auto objective = make_preset(GetParam());
  Draw redrawn = kDraw;
  redrawn.pattern = Seed(99);
  const LossMap a = objective->losses(batch(kIds), kDraw),
                b = objective->losses(batch(kIds), redrawn);
  EXPECT_TRUE(at::equal(a.targets, b.targets));  // the same level cells
  // The band of next-band is its level; it has no pattern.
  EXPECT_EQ((a.loss.sum(1) != b.loss.sum(1)).any().item<bool>(),
            random() && GetParam() != "next-band");
}

TEST_P(Preset, ReplicasOfOneExampleHaveTheirOwnDraws) {
  const auto objective = make_preset(GetParam());
  const Tensor loss = objective->losses(batch({3, 3, 3}), kDraw).loss.sum(1);
  const Tensor first = objective->losses(batch({3}), kDraw).loss.sum(1);
  if (!objective->coupled()) {
    EXPECT_NEAR(loss[0].item<double>(), first[0].item<double>(),
                2e-6 * std::abs(first[0].item<double>()));
  }
  EXPECT_EQ(loss[0].item<double>() != loss[1].item<double>(), random());
  EXPECT_EQ(loss[1].item<double>() != loss[2].item<double>(), random());
}

// Every parameter gets a gradient, except rows of bytes that no example holds.
TEST_P(Preset, GradientReachesEveryParameter) {
  const auto objective = make_preset(GetParam());
  training_loss(*objective, objective->losses(batch(kIds), kDraw), 0).backward();
  for (const auto& [name, parameter] : trained(*objective)) {
    ASSERT_TRUE(parameter.grad().defined()) << name;
    EXPECT_GT(largest(parameter.grad()), 0) << name;
  }
  for (const auto& item : objective->named_parameters())
    EXPECT_TRUE(item.value().requires_grad() || !item.value().grad().defined()) << item.key();
}

TEST_P(Preset, TrunkParametersStandBeforeTheHead) {
  const auto objective = make_preset(GetParam());
  bool head = false;
  for (const auto& [name, parameter] : trained(*objective)) {
    EXPECT_TRUE(name.starts_with("trunk.") || name.starts_with("head.")) << name;
    head = head || name.starts_with("head.");
    EXPECT_EQ(name.starts_with("head."), head) << name;
  }
  EXPECT_TRUE(head);
}

TEST_P(Preset, TrainingDoesNotDependOnTheBinning) {
  if (bands_are_part()) return;
  const auto fine = make_preset(GetParam());
  const auto coarse = make_preset(GetParam(), "level_bins = 1\nbands = 1");
  EXPECT_EQ(coarse->cells().size(), coarse->expected_targets().size());
  const Tensor a = example_losses(*fine, fine->losses(batch(kIds), kDraw), 0);
  const Tensor b = example_losses(*coarse, coarse->losses(batch(kIds), kDraw), 0);
  EXPECT_LT(largest(a - b), 1e-6 * largest(b));
  const double mean = training_loss(*fine, fine->losses(batch(kIds), kDraw), 0).item<double>();
  EXPECT_NEAR(mean, b.mean().item<double>(), 1e-6 * mean);
}

// No target count of these presets is random, but for the band that next-band draws: the mean over
// any examples is the expectation.
TEST_P(Preset, ExpectedTargetsEqualTheEmpiricalMean) {
  const auto objective = make_preset(GetParam());
  const LossMap map = objective->losses(batch(kIds), kDraw);
  std::map<std::string, double> counted;
  const auto cells = objective->cells();
  for (size_t c = 0; c < cells.size(); ++c)
    counted[cells[c].term] += map.targets.select(1, static_cast<int64_t>(c)).mean().item<double>();
  if (GetParam() == "next-band") {
    // K bands of n_k numbers, drawn with probability 1/K and counted K times: Σ n_k on average.
    EXPECT_EQ(objective->expected_targets().at("bands"), 3 * 16 * 16);
    const BandSpectrum spectrum(16, 4, BandSpectrum::Basis::haar);
    for (int64_t b = 0; b < 5; ++b)
      EXPECT_THAT(spectrum.coefficients(),
                  testing::Contains(map.targets[b].sum().item<double>() / 3 / 4));
    return;
  }
  for (const auto& [term, expected] : objective->expected_targets())
    EXPECT_NEAR(counted[term], expected, 1e-3) << term;
}

TEST_P(Preset, GlobalGeneratorIsLeftAlone) {
  const auto& generator = at::globalContext().defaultGenerator(at::kCPU);
  const Tensor state = generator.get_state();
  const auto objective = make_preset(GetParam());
  training_loss(*objective, objective->losses(batch(kIds), kDraw), 0).backward();
  objective->features(batch(kIds));
  EXPECT_TRUE(at::equal(state, generator.get_state()));
}

TEST_P(Preset, FeaturesAreOfCleanCompleteExamples) {
  const auto objective = make_preset(GetParam());
  const auto features = objective->features(batch(kIds));
  ASSERT_EQ(features.size(), 3u);  // embeddings and two layers
  const int64_t tokens = data().modality == Modality::text ? 12 : 16;
  for (const Tensor& layer : features) {
    EXPECT_EQ(layer.sizes(), at::IntArrayRef({5, tokens, 32}));
    EXPECT_TRUE(layer.requires_grad());  // path attribution differentiates what readouts see
  }
  {
    const torch::NoGradGuard reading;
    const auto read = objective->features(batch(kIds));
    for (size_t layer = 0; layer < features.size(); ++layer) {
      EXPECT_FALSE(read[layer].requires_grad());
      EXPECT_TRUE(at::equal(read[layer], features[layer]));
    }
  }
  EXPECT_GT(objective->feature_flops_per_example(), 0);
  EXPECT_GT(objective->flops_per_example(), 0);
  EXPECT_LE(objective->tokens_per_example(), 8 * tokens);
}

TEST_P(Preset, LevelBinsAreHonoured) {
  const auto objective = make_preset(GetParam());
  const auto cells = objective->cells();
  if (GetParam() == "next-band") return;  // a band is drawn, and has no targets else
  for (int bin = 0; bin < objective->level_bins(); ++bin) {
    Draw draw = kDraw;
    draw.level_bin = bin;
    const LossMap map = objective->losses(batch(kIds), draw);
    for (size_t c = 0; c < cells.size(); ++c)
      EXPECT_EQ(map.targets.select(1, static_cast<int64_t>(c)).sum().item<double>() > 0,
                cells[c].level_bin == -1 || cells[c].level_bin == bin);
  }
  Draw outside = kDraw;
  outside.level_bin = objective->level_bins();
  EXPECT_THROW(objective->losses(batch(kIds), outside), Error);
}

// A resolved composition is complete and stable: resolving it again changes nothing.
TEST_P(Preset, ResolvingIsIdempotent) {
  const DataShape shape = data();
  const Node once = resolve_objective(preset_table(GetParam()), small_model(), shape);
  const Node twice = resolve_objective(once, small_model(), shape);
  EXPECT_EQ(to_json(once).dump(), to_json(twice).dump());
}

INSTANTIATE_TEST_SUITE_P(All, Preset, testing::ValuesIn(preset_names()), [](const auto& parameter) {
  std::string name = parameter.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Parts, DescribeThemselves) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const PartInfo& info : part_infos()) {
    EXPECT_TRUE(seen.insert({info.slot, info.name}).second) << info.slot << " " << info.name;
    EXPECT_FALSE(info.summary.empty()) << info.name;
    EXPECT_FALSE(info.formula.empty()) << info.name;
    for (const Option& option : info.options) EXPECT_FALSE(option.help.empty()) << option.name;
  }
  EXPECT_GE(seen.size(), 48u);
}

}  // namespace
}  // namespace assay
