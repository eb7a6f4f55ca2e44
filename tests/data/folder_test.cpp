// Folders of images: classes, order, and every fault on purpose.
#include <cmath>

#include "data/fixtures.h"

namespace assay {
namespace {

class FolderTest : public test::DataTest {
 protected:
  void SetUp() override {
    DataTest::SetUp();
    put("train/b/2.png", 20);
    put("train/b/1.PNG", 10);
    put("train/a/deep/er/x.png", 30);
    put("train/C/y.jpeg", 40);
    put("heldout/b/1.png", 50);
  }

  /// A flat picture of one grey level.
  void put(const std::string& name, int grey) const {
    std::filesystem::create_directories((folder() / name).parent_path());
    write(name, name.ends_with("jpeg")
                    ? test::jpeg(8, 8, test::pixels(8, 8, 3, [&](int, int, int) { return grey; }))
                    : test::flat_png(8, grey));
  }

  std::unique_ptr<Dataset> open(const std::string& more = "", Split split = Split::train) const {
    const std::string cache = more.find("cache_dir") == std::string::npos ? "cache_dir = ''\n" : "";
    const std::string heldout =
        more.find("heldout") == std::string::npos ? "heldout = 'heldout'\n" : "";
    return test::make_dataset(
        "kind = 'folder'\npath = 'train/'\nsize = 4\n" + cache + heldout + more, split,
        folder().string());
  }

  void expect_error(const std::string& code, const std::vector<std::string>& words,
                    const std::string& remedy, const std::string& more = "",
                    Split split = Split::train) const {
    const Error error = test::error_of([&] { open(more, split); });
    EXPECT_EQ(error.code(), code) << error.what();
    for (const std::string& word : words)
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    EXPECT_NE(error.help().find(remedy), std::string::npos) << error.help();
  }
};

/// What torchvision.datasets.ImageFolder gives for the same tree: classes C, a, b and the paths of
/// a class in order.
TEST_F(FolderTest, ClassesAndImagesInByteOrder) {
  const auto data = open();
  ASSERT_EQ(data->size(), 4);
  const Batch batch = data->get(std::vector<int64_t>{0, 1, 2, 3});
  const std::vector<int64_t> labels{0, 1, 2, 2};
  const std::vector<float> greys{40, 30, 10, 20};
  for (size_t i = 0; i < 4; ++i) {
    const auto row = static_cast<int64_t>(i);
    EXPECT_EQ(batch.labels[row][0].item<int64_t>(), labels[i]);
    EXPECT_NEAR(batch.images[row].mean().item<float>(), greys[i] / 127.5f - 1, 1e-6);
  }
  ASSERT_EQ(data->info().factors.size(), 1u);
  EXPECT_EQ(data->info().factors[0].name, "class");
  EXPECT_EQ(data->info().factors[0].cardinality, 3);
  EXPECT_NEAR(data->info().factors[0].entropy_bits, 1.5, 1e-12);  // 1/4, 1/4, 1/2
  EXPECT_TRUE(data->info().notes.empty());
}

TEST_F(FolderTest, HeldoutUsesTheClassesOfPath) {
  const auto data = open("", Split::heldout);
  ASSERT_EQ(data->size(), 1);
  EXPECT_EQ(data->get(std::vector<int64_t>{0}).labels.item<int64_t>(), 2);  // b, as in `path`
  EXPECT_EQ(data->info().factors[0].cardinality, 3);
  EXPECT_EQ(data->info().factors[0].entropy_bits, 0);
}

TEST_F(FolderTest, UnknownClassIsNamedOrSkipped) {
  put("heldout/zebra/1.png", 1);
  expect_error("data.label", {"heldout/zebra"}, "rename or remove", "", Split::heldout);
  const auto data = open("on_error = 'skip'\n", Split::heldout);
  EXPECT_EQ(data->size(), 1);
  EXPECT_EQ(data->info().skipped, 1);
}

TEST_F(FolderTest, DescribeCountsClassesWhereTheFolderIs) {
  const std::string toml = "kind = 'folder'\npath = 'train'\nheldout = 'heldout'";
  const Node table = parse_toml(toml, "test.toml");
  const DatasetEntry& entry = dataset_entry(table, "data.test");
  const Options options(table, entry.options, "data.test");
  EXPECT_EQ(entry.describe(options, folder().string()).factors[0].cardinality, 3);
  EXPECT_EQ(entry.describe(options, path("nowhere")).factors[0].cardinality, 0);
}

TEST_F(FolderTest, HashIsOfTheContentAndNotOfThePlace) {
  const std::string before = open()->info().hash;
  put("train/b/1.PNG", 11);
  const std::string changed = open()->info().hash;
  EXPECT_NE(changed, before);
  std::filesystem::rename(path("train/b/1.PNG"), path("train/a/1.PNG"));
  EXPECT_NE(open()->info().hash, changed);
  put("train/b/1.PNG", 10);
  std::filesystem::remove(path("train/a/1.PNG"));
  EXPECT_EQ(open()->info().hash, before);
}

TEST_F(FolderTest, CacheAndDecodingByBatchGiveTheSame) {
  const std::vector<int64_t> ids{3, 0, 2, 1};
  const Batch plain = open()->get(ids);
  const std::string cached = fmt::format("cache_dir = '{}'\n", path("cache"));
  for (const std::string& more : {cached, cached, std::string("cache_mb = 0\n")}) {
    const auto data = open(more);
    EXPECT_TRUE(torch::equal(data->get(ids).images, plain.images));
    EXPECT_TRUE(torch::equal(data->get(ids).labels, plain.labels));
    EXPECT_EQ(data->info().factors[0].entropy_bits, 1.5);
  }
  EXPECT_TRUE(
      std::filesystem::exists(path(fmt::format("cache/images-{}.bin", open()->info().hash))));
}

TEST_F(FolderTest, DamagedImageIsNamedOrSkipped) {
  write("train/a/deep/er/x.png", test::flat_png(8, 30).substr(0, 40));
  expect_error("data.decode", {"train/a/deep/er/x.png", "PNG"}, "on_error");
  const auto data = open("on_error = 'skip'\n");
  EXPECT_EQ(data->size(), 3);
  EXPECT_EQ(data->info().skipped, 1);
  EXPECT_NE(data->info().notes.at(0).find("a/deep/er/x.png"), std::string::npos);
  EXPECT_EQ(data->info().factors[0].cardinality, 3);  // the class stays
}

TEST_F(FolderTest, OtherFilesAreLeftOutAndSaid) {
  write("train/a/notes.txt", "not an image");
  write("train/a/.DS_Store", "hidden");
  put("train/.hidden/1.png", 1);
  const auto data = open();
  EXPECT_EQ(data->size(), 4);
  EXPECT_EQ(data->info().factors[0].cardinality, 3);
  ASSERT_EQ(data->info().notes.size(), 1u);
  EXPECT_NE(data->info().notes[0].find("a/notes.txt"), std::string::npos) << data->info().notes[0];
}

TEST_F(FolderTest, EmptyMissingAndOverlapping) {
  std::filesystem::create_directories(path("train/d"));
  expect_error("data.empty", {"train/d", "no image"}, "remove the subfolder");
  EXPECT_EQ(open("on_error = 'skip'\n")->size(), 4);
  std::filesystem::create_directories(path("bare"));
  expect_error("data.empty", {"bare", "no subfolder"}, "subfolder", "heldout = 'bare'\n",
               Split::heldout);
  expect_error("data.missing_file", {"nowhere"}, "study file", "heldout = 'nowhere'\n",
               Split::heldout);
  expect_error("data.overlap", {"train/"}, "separate", "heldout = 'train'\n");
  expect_error("data.overlap", {"train/b/"}, "separate", "heldout = 'train/b'\n");
  put("trainer/a/1.png", 1);  // a name that only begins alike
  std::filesystem::remove(path("train/d"));
  EXPECT_EQ(open("heldout = 'trainer'\n")->size(), 4);
}

}  // namespace
}  // namespace assay
