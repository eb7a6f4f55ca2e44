// Derived factors of images: closed forms of the statistics, where edges come from, refusals.
#include <cmath>
#include <numbers>

#include "assay/data/factors/box.h"
#include "assay/data/factors/image_statistics.h"
#include "assay/data/factors/quantile_bins.h"
#include "assay/data/factors/statistic_table.h"
#include "data/fixtures.h"

namespace assay {
namespace {

constexpr int kSize = 32;

/// Planar RGB of value(row, column, channel), −1..1.
template <typename Value>
std::vector<float> planar(const Value& value, int size = kSize, int channels = 3) {
  std::vector<float> out;
  for (int c = 0; c < channels; ++c)
    for (int row = 0; row < size; ++row)
      for (int column = 0; column < size; ++column)
        out.push_back(static_cast<float>(value(row, column, c)));
  return out;
}

double statistic(const std::string& name, const std::vector<float>& pixels, int size = kSize,
                 int channels = 3) {
  for (const ImageStatistic& one : image_statistics())
    if (one.name == name) return one.of(PictureView(pixels, channels, size));
  ADD_FAILURE() << "no statistic " << name;
  return NAN;
}

/// A grating along `degrees` (0 = light changes along a row), y down.
std::vector<float> grating(double degrees, double cycles = 3) {
  const double angle = degrees * std::numbers::pi / 180;
  return planar([=](int row, int column, int) {
    const double along = column * std::cos(angle) + row * std::sin(angle);
    return .8 * std::sin(2 * std::numbers::pi * cycles * along / kSize + .3);
  });
}

// The hue of a colour by the textbook formula of HSV, from its sector.
double textbook_hue(double r, double g, double b) {
  const double most = std::max({r, g, b}), least = std::min({r, g, b}), range = most - least;
  if (most == r) return std::fmod(60 * (g - b) / range + 360, 360);
  return most == g ? 60 * (b - r) / range + 120 : 60 * (r - g) / range + 240;
}

// The hexagonal angle differs from HSV's piecewise linear one by at most 1.2 degrees, and a cell is
// 5 wide.
TEST(ImageStatistics, HueIsThatOfAFlatColourAndOfTheLargerOfTwo) {
  const double colours[][3] = {{1, 0, 0},    {1, 1, 0}, {0, 1, 0},
                               {.1, .9, .7}, {0, 0, 1}, {1, .5, 0}};
  for (const auto& colour : colours) {
    const auto flat = planar([&](int, int, int c) { return 2 * colour[c] - 1; });
    const double expected = textbook_hue(colour[0], colour[1], colour[2]);
    EXPECT_NEAR(statistic("hue", flat), expected, 4) << expected;
    // Three rows in four of this colour, the rest of its complement.
    const auto mixed = planar(
        [&](int row, int, int c) { return row % 4 == 3 ? 1 - 2 * colour[c] : 2 * colour[c] - 1; });
    EXPECT_NEAR(statistic("hue", mixed), expected, 4);
  }
  EXPECT_NEAR(statistic("hue", planar([](int, int, int c) { return c == 1 ? -1 : 1; })), -60, 4)
      << "magenta is where hues are cut open";
  EXPECT_TRUE(std::isnan(statistic("hue", planar([](int row, int, int) { return row / 40.; }))))
      << "grey has no hue";
}

TEST(ImageStatistics, LightAndSaturationOfKnownColours) {
  const auto two = planar([](int row, int, int) { return row % 2 == 0 ? .6 : -.2; });
  EXPECT_NEAR(statistic("luminance", two), .2, 1e-6);
  EXPECT_NEAR(statistic("contrast", two), .4, 1e-6);
  const auto colour = planar([](int, int, int c) { return c == 0 ? .5 : c == 1 ? -.5 : 0; });
  EXPECT_NEAR(statistic("luminance", colour), .299 * .5 - .587 * .5, 1e-6);
  // (α, β) = (R − (G + B)/2, √3/2 (G − B)) = (.75, −.433): length √.75.
  EXPECT_NEAR(statistic("saturation", colour), std::sqrt(.75), 1e-6);
  EXPECT_NEAR(statistic("contrast", colour), 0, 1e-9);
}

// A sinusoid's central differences are proportional to its own direction's sines, so up to the
// discreteness of the grid (below a degree at three cycles) the axis is the grating's.
TEST(ImageStatistics, OrientationIsTheGratings) {
  for (const double degrees : {-40., -20., 0., 15., 45., 90., 130.}) {
    EXPECT_NEAR(statistic("orientation", grating(degrees)), degrees, 1.5);
    EXPECT_GT(statistic("coherence", grating(degrees)), .97);
  }
  EXPECT_NEAR(statistic("orientation", grating(150)), -30, 1.5) << "an axis has no sign";
  const auto flat = planar([](int, int, int) { return .3; });
  for (const char* name : {"orientation", "coherence", "detail", "edge-x", "edge-y"})
    EXPECT_TRUE(std::isnan(statistic(name, flat))) << name;
  EXPECT_LT(statistic("coherence", planar([](int row, int column, int) {
                        return std::sin(row * .7) * std::sin(column * .7);
                      })),
            .2);
}

// Central differences of sin(ωx) are sin(ω) cos(ωx): energy over variance is sin²ω.
TEST(ImageStatistics, DetailIsTheSquaredFrequencyOfASinusoid) {
  for (const double cycles : {2., 4., 6.}) {
    const double omega = 2 * std::numbers::pi * cycles / kSize;
    EXPECT_NEAR(statistic("detail", grating(0, cycles)) / std::pow(std::sin(omega), 2), 1, .1);
  }
}

TEST(ImageStatistics, EdgesAreWhereTheBlobIs) {
  for (const auto& [row0, column0] : {std::pair{8., 22.}, {20., 10.}}) {
    const auto blob = planar([&, row0 = row0, column0 = column0](int row, int column, int) {
      return std::exp(-(std::pow(row - row0, 2) + std::pow(column - column0, 2)) / 8) - .5;
    });
    EXPECT_NEAR(statistic("edge-x", blob), (2 * column0 + 1) / kSize - 1, .01);
    EXPECT_NEAR(statistic("edge-y", blob), (2 * row0 + 1) / kSize - 1, .01);
  }
}

TEST(ObjectBoxes, PlaceAfterTheCrop) {
  const auto whole = place_in_square({0, 0, 63, 63}, 64, 64).value();
  EXPECT_EQ(whole.x, 0);
  EXPECT_EQ(whole.area, 1);
  // 100 × 60: columns 20 … 79 are kept. The box's columns 70 … 89 become 50 … 59 of 60.
  const auto cut = place_in_square({70, 0, 89, 29}, 100, 60).value();
  EXPECT_NEAR(cut.x, 2 * 55. / 60 - 1, 1e-12);
  EXPECT_NEAR(cut.y, -.5, 1e-12);
  EXPECT_NEAR(cut.area, 10. * 30 / 3600, 1e-12);
  EXPECT_FALSE(place_in_square({0, 0, 19, 59}, 100, 60));
}

TEST(QuantileBins, EqualSharesAndTies) {
  std::vector<double> values;
  for (int i = 0; i < 1001; ++i) values.push_back(std::sin(i * 12.9898) * 1000);
  const QuantileBins bins(values, 8, "f");
  std::vector<int64_t> counts(8);
  for (const double value : values) ++counts[static_cast<size_t>(bins.of(value))];
  for (const int64_t count : counts) EXPECT_NEAR(static_cast<double>(count), 1001 / 8., 1);
  EXPECT_EQ(bins.of(-1e9), 0);
  EXPECT_EQ(bins.of(1e9), 7);
  EXPECT_EQ(bins.of(NAN), -1);
  const QuantileBins tied({1, 1, 1, 1, 1, 2, 3, 4, NAN}, 4, "f");
  EXPECT_EQ(tied.edges(), (std::vector<double>{1, 1, 3}));
  EXPECT_EQ(tied.of(1), 2);  // ties stay together; the bins below are empty
  EXPECT_EQ(tied.of(4), 3);
  const Error error = test::error_of([] { QuantileBins({1, NAN}, 2, "hue"); });
  EXPECT_EQ(error.code(), "data.factor");
  EXPECT_NE(std::string(error.what()).find("`hue`"), std::string::npos) << error.what();
}

TEST(StatisticTables, KeptWholeAndComputedOnce) {
  const auto path = std::filesystem::temp_directory_path() /
                    fmt::format("assay-statistics-{}.safetensors", ::getpid());
  int computed = 0;
  std::string note;
  const auto compute = [&] {
    ++computed;
    return compute_statistics(50, 2, [](int64_t begin, int64_t count, std::span<double> to) {
      for (int64_t i = 0; i < 2 * count; ++i)
        to[static_cast<size_t>(i)] = i == 1 ? NAN : static_cast<double>(2 * begin + i) / 3;
    });
  };
  const StatisticTable one = cached_statistics(path.string(), 50, 2, compute, note);
  const StatisticTable two = cached_statistics(path.string(), 50, 2, compute, note);
  EXPECT_EQ(computed, 1);
  EXPECT_TRUE(note.empty());
  EXPECT_EQ(std::memcmp(one.values.data(), two.values.data(), 100 * sizeof(double)), 0);
  std::ofstream(path) << "torn";
  cached_statistics(path.string(), 50, 2, compute, note);
  EXPECT_EQ(computed, 2);
  cached_statistics((path / "below a file").string(), 50, 2, compute, note);
  EXPECT_NE(note.find("not kept"), std::string::npos);
  std::filesystem::remove(path);
  std::filesystem::remove(path.string() + ".lock");
}

/// 60 training and 40 held-out grey pictures of 4 × 4 with a stripe; held-out ones are brighter.
class DerivedTest : public test::DataTest {
 protected:
  void SetUp() override {
    DataTest::SetUp();
    for (const std::string split : {"train", "heldout"}) {
      const bool train = split == "train";
      std::vector<uint8_t> bytes;
      for (int i = 0; i < (train ? 60 : 40); ++i)
        for (int pixel = 0; pixel < 16; ++pixel)
          bytes.push_back(
              static_cast<uint8_t>((train ? 0 : 100) + 2 * i + (pixel % 4 == i % 4) * 9));
      write(split + ".npy",
            test::npy("'|u1'", fmt::format("({}, 4, 4)", train ? 60 : 40), test::raw(bytes)));
    }
  }
  std::unique_ptr<Dataset> open(Split split, const std::string& derived = "['luminance']",
                                const std::string& more = "derived_bins = 4") const {
    return test::make_dataset(
        fmt::format(
            "kind = 'arrays'\npath = 'train.npy'\nheldout = 'heldout.npy'\nderived = {}\n{}",
            derived, more),
        split, folder().string());
  }
  std::vector<int64_t> column(const Dataset& data) const {
    std::vector<int64_t> ids(static_cast<size_t>(data.size()));
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i);
    const Tensor labels = data.get(ids).labels.select(1, 0).contiguous();
    return {labels.data_ptr<int64_t>(), labels.data_ptr<int64_t>() + labels.numel()};
  }
};

// Brightness rises with the number of the picture: training bins are runs of 15 of 60; held-out
// picture i, 50 numbers brighter, falls where training picture i + 50 would.
TEST_F(DerivedTest, EdgesAreThoseOfTrainingAlone) {
  const auto train = open(Split::train), heldout = open(Split::heldout);
  const Factor& factor = train->info().factors[0];
  EXPECT_EQ(factor.name, "luminance");
  EXPECT_EQ(factor.cardinality, 4);
  EXPECT_DOUBLE_EQ(factor.entropy_bits, 2);
  const auto own = column(*train), other = column(*heldout);
  for (size_t i = 0; i < own.size(); ++i) EXPECT_EQ(own[i], static_cast<int64_t>(i / 15));
  // Planted fault: edges from the held-out split itself would give four equal bins.
  EXPECT_EQ(other, std::vector<int64_t>(40, 3));
  EXPECT_EQ(heldout->info().factors[0].entropy_bits, 0);
  // Held-out pictures move nothing: train is the same beside other ones, bit for bit.
  const std::string before = train->info().hash;
  std::filesystem::copy_file(path("train.npy"), path("copy.npy"));
  write("heldout.npy", read("copy.npy"));
  EXPECT_EQ(open(Split::train)->info().hash, before);
  EXPECT_EQ(column(*open(Split::heldout)), own);
}

TEST_F(DerivedTest, HashKnowsFactorsBinsAndEdges) {
  std::set<std::string> hashes;
  for (const Split split : {Split::train, Split::heldout}) {
    hashes.insert(open(split)->info().hash);
    hashes.insert(open(split, "['contrast']")->info().hash);
    hashes.insert(open(split, "['luminance']", "")->info().hash);
    hashes.insert(open(split, "['luminance', 'contrast']")->info().hash);
  }
  EXPECT_EQ(hashes.size(), 8u);
  // The same held-out pictures under edges of other training pictures are another data set.
  const std::string before = open(Split::heldout)->info().hash;
  std::string bytes = read("train.npy");
  bytes[bytes.size() - 16 * 30] = static_cast<char>(255);
  write("train.npy", bytes);
  EXPECT_NE(open(Split::heldout)->info().hash, before);
}

TEST_F(DerivedTest, LabelsDoNotDependOnTheBatch) {
  const auto data = open(Split::train, "['luminance', 'contrast', 'edge-x', 'orientation']");
  const Tensor all = data->get(std::vector<int64_t>{7, 0, 59, 7}).labels;
  EXPECT_EQ(all.sizes(), (std::vector<int64_t>{4, 4}));
  for (int64_t row = 0; row < 4; ++row) {
    const int64_t id[] = {7, 0, 59, 7};
    EXPECT_TRUE(torch::equal(data->get(std::span(id + row, 1)).labels[0], all[row]));
  }
  EXPECT_EQ(data->info().factors[2].kind, "position");
}

TEST_F(DerivedTest, Refusals) {
  const auto refused = [&](const std::string& derived, const std::string& more = "") {
    return test::error_of([&] { open(Split::train, derived, more); });
  };
  EXPECT_EQ(refused("['luminence']").help(), "did you mean `luminance`?");
  EXPECT_EQ(refused("['luminance', 'luminance']").code(), "config.duplicate");
  EXPECT_EQ(refused("['box-x']").code(), "config.choice") << "arrays ship no boxes";
  const Error grey = refused("['hue']");
  EXPECT_EQ(grey.code(), "config.factor");
  EXPECT_NE(std::string(grey.what()).find("1 channel"), std::string::npos) << grey.what();
  const Error few = refused("['luminance']", "derived_bins = 64");
  EXPECT_EQ(few.code(), "data.factor");
  EXPECT_NE(few.help().find("derived_bins"), std::string::npos);
}

/// Shards of coloured pictures with boxes; picture 3 has none, picture 5 is grey.
class BoxTest : public test::DataTest {
 protected:
  void SetUp() override {
    DataTest::SetUp();
    for (const std::string split : {"train", "heldout"}) shard(split, split == "train" ? 24 : 12);
  }
  void shard(const std::string& name, int count, const std::string& box = "") const {
    std::vector<std::pair<std::string, std::string>> entries;
    for (int i = 0; i < count; ++i) {
      const auto picture = test::pixels(40, 20, 3, [&](int row, int column, int c) {
        return i == 5 ? 90 + row : (c == i % 3 ? 200 - 2 * i : 40) + (column == i ? 9 : 0);
      });
      entries.emplace_back(fmt::format("{:02d}.png", i), test::png(40, 20, picture));
      const std::string own = !box.empty() ? box
                              : i == 3     ? "null"
                                           : fmt::format("[{}, 2, {}, 9]", 8 + i, 12 + i);
      entries.emplace_back(fmt::format("{:02d}.json", i),
                           fmt::format("{{\"label\": {}, \"box\": {}}}", i % 2, own));
    }
    test::write_tar(path(name + ".tar"), entries);
  }
  std::unique_ptr<Dataset> open(Split split, const std::string& more = "cache_dir = ''") const {
    return test::make_dataset(
        "kind = 'webdataset'\npath = 'train.tar'\nheldout = 'heldout.tar'\nsize = 10\n"
        "derived = ['box-x', 'hue']\nderived_bins = 2\n" +
            more,
        split, folder().string());
  }
};

TEST_F(BoxTest, BoxesAndHuesBesideTheClass) {
  const auto data = open(Split::train);
  ASSERT_EQ(data->info().factors.size(), 3u);
  EXPECT_EQ(data->info().factors[0].name, "class");
  EXPECT_EQ(data->info().factors[1].kind, "position");
  EXPECT_NEAR(data->info().factors[0].entropy_bits, 1, 1e-12);
  const Tensor labels = data->get(std::vector<int64_t>{0, 17, 3, 5}).labels;
  EXPECT_EQ(labels[0][1].item<int64_t>(), 0);
  EXPECT_EQ(labels[1][1].item<int64_t>(), 1);
  EXPECT_EQ(labels[2][1].item<int64_t>(), -1) << "no box";
  EXPECT_EQ(labels[3][2].item<int64_t>(), -1) << "grey";
  EXPECT_NE(labels[0][2].item<int64_t>(), -1);
}

TEST_F(BoxTest, OneAnswerFromCacheMemoryAndEachBatch) {
  const std::vector<int64_t> ids{11, 3, 0, 5, 7};
  for (const Split split : {Split::train, Split::heldout}) {
    const auto memory = open(split);
    const std::string cache = fmt::format("cache_dir = '{}'", path("cache"));
    for (const std::string& more : {cache, cache, std::string("cache_dir = ''\ncache_mb = 0")}) {
      const auto other = open(split, more);
      EXPECT_TRUE(torch::equal(memory->get(ids).labels, other->get(ids).labels)) << more;
      EXPECT_EQ(memory->info().hash, other->info().hash);
    }
  }
  int tables = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path("cache")))
    tables += entry.path().extension() == ".safetensors";
  EXPECT_EQ(tables, 2);
}

TEST_F(BoxTest, BoxesThatAreNoneAreRefused) {
  for (const std::string box : {"[1, 2, 3]", "[5, 0, 1, 9]", "\"left\""}) {
    shard("train", 24, box);
    const Error error = test::error_of([&] { open(Split::train); });
    EXPECT_EQ(error.code(), "data.box");
    EXPECT_NE(std::string(error.what()).find("train.tar: 00"), std::string::npos) << error.what();
  }
  shard("train", 24, "null");
  EXPECT_EQ(test::error_of([&] { open(Split::train); }).code(), "data.factor");
}

// On the natural images that lie beside the repository: shares near one eighth on held-out images
// too (5,000 of the same distribution: a share of 1/8 has a standard error of .0047; 4.9 of them
// and the edges' own .0017 allow .03).
TEST(DerivedFactors, NaturalImagesFillTheirBins) {
  const std::string real = ASSAY_SOURCE_DIR "/../shared/data/tiny-imagenet";
  if (!std::filesystem::exists(real)) GTEST_SKIP() << "no ../shared/data/tiny-imagenet here";
  const auto data = test::make_dataset(
      "kind = 'webdataset'\npath = 'train-0000.tar'\nheldout = 'val-0000.tar'\nclasses = 200\n"
      "cache_dir = ''\nderived = ['hue', 'saturation', 'luminance', 'contrast', 'orientation', "
      "'coherence', 'detail', 'edge-x', 'edge-y', 'box-x', 'box-y', 'box-size']",
      Split::heldout, real);
  std::vector<int64_t> ids(static_cast<size_t>(data->size()));
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i);
  const Tensor labels = data->get(ids).labels;
  for (size_t k = 1; k < data->info().factors.size(); ++k) {
    const Factor& factor = data->info().factors[k];
    SCOPED_TRACE(factor.name);
    const Tensor column = labels.select(1, static_cast<int64_t>(k));
    const auto known = column.ge(0).sum().item<double>();
    EXPECT_GT(known, .95 * static_cast<double>(ids.size()));
    if (factor.name.starts_with("box")) {
      EXPECT_GT(factor.entropy_bits, 2);  // boxes that fill the image are tied
      continue;
    }
    EXPECT_GT(factor.entropy_bits, 2.98);
    for (int64_t bin = 0; bin < 8; ++bin)
      EXPECT_NEAR(column.eq(bin).sum().item<double>() / known, .125, .03) << bin;
  }
}

}  // namespace
}  // namespace assay
