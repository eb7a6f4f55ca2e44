// Augmentations, masks by block, and label maps.
#include <gtest/gtest.h>

#include "assay/objective/augment.h"
#include "assay/objective/masking.h"
#include "assay/objective/target/label_map.h"
#include "tests/objective/fixture.h"

namespace assay {
namespace {

const Draw kDraw = Draw::from(Seed(11), 0);

// A crop of the whole image without flip is the image, at any resolution that divides it.
TEST(Augment, WholeCropIsTheImage) {
  const Batch batch = make_batch({1, 2, 3}, image_data());
  const Augmentation whole{1, 1, 0, 0, 0};
  const Tensor same = augmented(batch.images, row_keys(batch), Seed(1), 16, whole);
  EXPECT_LT(largest(same - batch.images), 1e-5);
  const Augmentation mirrored{1, 1, 1, 0, 0};
  const Tensor flipped = augmented(batch.images, row_keys(batch), Seed(1), 16, mirrored);
  EXPECT_LT(largest(flipped - batch.images.flip(3)), 1e-5);
}

// On an image that equals its own coordinates a crop is an affine map of them: its centre and width
// can be read off, and lie inside the image with the area asked for.
TEST(Augment, CropsCoverTheAreaTheyAreDrawnFor) {
  constexpr int64_t kRows = 400, kSide = 16;
  std::vector<int64_t> ids(kRows), replicas(kRows, 0);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i);
  const Tensor ramp = (at::arange(kSide) * 2 + 1) / static_cast<double>(kSide) - 1;
  const Tensor image = at::stack(
      {ramp.view({1, kSide}).expand({kSide, kSide}), ramp.view({kSide, 1}).expand({kSide, kSide})});
  const Tensor images =
      image.to(at::kFloat).unsqueeze(0).expand({kRows, 2, kSide, kSide}).contiguous();
  const Tensor crops = augmented(images, {ids, replicas}, Seed(3), kSide, {0.25, 0.64, 0.5, 0, 0});
  // Inner pixels: those at an edge of the image are clamped to its outer pixels' centres.
  constexpr int64_t kFirst = 2, kLast = 13;
  const double span = 2.0 * (kLast - kFirst) / kSide;
  const auto extent = [&](int64_t channel, int64_t last_row, int64_t last_column) {
    const Tensor c = crops.select(1, channel);
    return (c.select(1, last_row).select(1, last_column) - c.select(1, kFirst).select(1, kFirst))
               .to(at::kDouble) /
           span;
  };
  const Tensor width = extent(0, kFirst, kLast), height = extent(1, kLast, kFirst);
  EXPECT_LT(largest(width.abs() - height), 1e-4);  // square
  EXPECT_GE(height.min().item<double>(), 0.5 - 1e-4);
  EXPECT_LE(height.max().item<double>(), 0.8 + 1e-4);
  // H0: the area is uniform on [.25, .64] and half are mirrored; n = 400, two-sided z at level 1e-6
  // (4.89): the mean deviates by at most 4.89·.39/√12/20 = .0275, the share by 4.89·.5/20 = .122.
  EXPECT_NEAR(height.square().mean().item<double>(), 0.445, 0.0275);
  EXPECT_NEAR((width < 0).to(at::kDouble).mean().item<double>(), 0.5, 0.122);
}

TEST(Augment, ColourKeepsTheRangeAndGreyHasNoColour) {
  const Batch batch = make_batch({1, 2, 3, 4}, image_data());
  const Tensor images = batch.images.clamp(-1, 1);
  const Tensor jittered = augmented(images, row_keys(batch), Seed(1), 16, {1, 1, 0, 1, 0});
  EXPECT_LE(largest(jittered), 1 + 1e-6);
  EXPECT_GT(largest(jittered - images), 0.01);
  const Tensor grey = augmented(images, row_keys(batch), Seed(1), 16, {1, 1, 0, 0, 1});
  EXPECT_EQ(largest(grey.select(1, 0) - grey.select(1, 2)), 0);
}

TEST(Views, AreKeyedByRowViewAndDraw) {
  Setting setting;
  setting.model = small_model();
  setting.data = image_data();
  const auto views =
      make_part<Views>(resolve_part("views", parse_toml("kind = \"multi_crop\"\nlocal = 2", "test"),
                                    Modality::image, "views"),
                       setting, "views");
  EXPECT_EQ(views->sizes(), (std::vector<int64_t>{0, 0, 8, 8}));
  const auto all = views->views(make_batch({5, 9}, image_data()), kDraw);
  const auto alone = views->views(make_batch({9}, image_data()), kDraw);
  const auto later = views->views(make_batch({9}, image_data()), Draw::from(Seed(12), 0));
  for (size_t v = 0; v < 4; ++v) {
    EXPECT_EQ(all[v].images.size(2), v < 2 ? 16 : 8);
    EXPECT_LT(largest(all[v].images[1] - alone[v].images[0]), 1e-6);
    EXPECT_GT(largest(later[v].images - alone[v].images), 1e-3);
  }
  EXPECT_GT(largest(all[0].images - all[1].images), 1e-3);
}

// Cells of 2 × 2 are masked as one, and exactly the count is.
TEST(Mask, BlocksAreMaskedWhole) {
  const RandomSubset subset(64, 32, 2);
  for (int64_t id = 0; id < 50; ++id) {
    const std::vector<bool> chosen = subset.chosen(Seed(1), id, 0);
    EXPECT_EQ(std::count(chosen.begin(), chosen.end(), true), 32);
    for (size_t row = 0; row < 8; row += 2)
      for (size_t column = 0; column < 8; column += 2)
        for (const size_t other :
             {row * 8 + column + 1, row * 8 + column + 8, row * 8 + column + 9})
          EXPECT_EQ(chosen[row * 8 + column], chosen[other]);
  }
  const std::vector<bool> cut = RandomSubset(64, 30, 2).chosen(Seed(1), 3, 0);
  EXPECT_EQ(std::count(cut.begin(), cut.end(), true), 30);
}

// The two halves of each row partition the tokens, and the masked ones form few rectangles: of
// their 2·M neighbour pairs far more are masked together than the ratio's square would give.
TEST(Blocks, AreBlocksOfExactlyTheRatio) {
  Setting setting;
  setting.model = small_model();
  setting.data = image_data(32);
  setting.tokens = {64, 48};
  const auto blocks = make_part<Corrupt>(
      resolve_part("corrupt", parse_toml("kind = \"blocks\"\nratio = 0.5", "test"), Modality::image,
                   "corrupt"),
      setting, "corrupt");
  const Batch batch = make_batch({1, 2, 3, 4, 5, 6, 7, 8}, image_data());
  const NoiseField field = blocks->field(row_keys(batch), kDraw, at::TensorOptions(at::kFloat));
  const Tensor all = std::get<0>(at::cat({field.visible, field.masked}, 1).sort(1));
  EXPECT_TRUE(at::equal(all, at::arange(64).expand({8, 64})));
  const Tensor mask = at::zeros({8, 64}).scatter(1, field.masked, 1).view({8, 8, 8});
  const Tensor together = mask.narrow(2, 0, 7) * mask.narrow(2, 1, 7);
  EXPECT_GT(together.mean().item<double>(), 0.35);  // .25 if tokens were independent
}

TEST(Labels, CoarseGroupsHaveTheEntropyOfNarrowClasses) {
  for (const auto& [n, kept] :
       std::vector<std::pair<int64_t, int64_t>>{{10, 2}, {200, 20}, {8, 3}}) {
    const auto narrow = narrow_classes(n, kept), coarse = coarse_classes(n, class_entropy(narrow));
    EXPECT_NEAR(class_entropy(coarse), class_entropy(narrow), 0.2) << n;
    EXPECT_EQ(*std::max_element(narrow.begin(), narrow.end()), kept);
  }
  // kept of n: H = kept/n·log2 n + (1 - kept/n)·log2(n/(n - kept)).
  EXPECT_NEAR(class_entropy(narrow_classes(200, 20)),
              0.1 * std::log2(200.0) + 0.9 * std::log2(1 / 0.9), 1e-12);
}

// Unknown labels (-1) carry no loss and count as no target.
TEST(Labels, UnknownOnesAreLeftOut) {
  const auto objective = make_preset("supervised");
  Batch batch = make_batch({1, 2, 3}, image_data());
  batch.labels[1][0] = -1;
  const LossMap map = objective->losses(batch, kDraw);
  EXPECT_EQ(map.loss[1].sum().item<double>(), 0);
  EXPECT_EQ(map.targets.view(-1).sum().item<double>(), 2);
}

}  // namespace
}  // namespace assay
