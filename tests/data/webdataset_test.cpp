// Shards of images: content, cache, and every fault on purpose.
#include <chrono>
#include <cmath>

#include "assay/data/image_store.h"
#include "data/fixtures.h"

namespace assay {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

std::string json(int label) {
  return fmt::format("{{\"label\": {}, \"box\": [0, 0, 1, 1]}}", label);
}

class WebDatasetTest : public test::DataTest {
 protected:
  void SetUp() override {
    DataTest::SetUp();
    test::write_tar(path("heldout.tar"), {{"h.png", test::flat_png(8, 9)}, {"h.json", json(0)}});
  }

  /// Six flat pictures of grey 10 i and label i % 3.
  Entries six() const {
    Entries entries;
    for (int i = 0; i < 6; ++i) {
      entries.emplace_back(fmt::format("dir.v1/{:04d}.png", i), test::flat_png(8, 10 * i));
      entries.emplace_back(fmt::format("dir.v1/{:04d}.json", i), json(i % 3));
    }
    return entries;
  }

  std::unique_ptr<Dataset> open(const std::string& more = "", Split split = Split::train,
                                const std::string& train = "train*.tar") const {
    return test::make_dataset(
        fmt::format("kind = 'webdataset'\npath = ['{}']\nheldout = ['heldout.tar']\nsize = 4\n{}{}",
                    train, more.find("cache_dir") == std::string::npos ? "cache_dir = ''\n" : "",
                    more),
        split, folder().string());
  }

  /// The error under "stop", then what "skip" leaves of it.
  void expect_fault(const std::string& code, const std::vector<std::string>& words, int64_t left,
                    int64_t skipped, const std::string& more = "") const {
    const Error error = test::error_of([&] { open(more); });
    EXPECT_EQ(error.code(), code);
    for (const std::string& word : words)
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    const auto data = open(more + "on_error = 'skip'\n");
    EXPECT_EQ(data->size(), left);
    EXPECT_EQ(data->info().skipped, skipped);
    ASSERT_FALSE(data->info().notes.empty());
    EXPECT_NE(data->info().notes[0].find(code), std::string::npos) << data->info().notes[0];
  }
};

TEST_F(WebDatasetTest, ReadsPicturesAndLabelsInOrder) {
  test::write_tar(path("train.tar"), six());
  const auto data = open();
  ASSERT_EQ(data->size(), 6);
  const Batch batch = data->get(std::vector<int64_t>{5, 0, 1});
  EXPECT_EQ(batch.images.sizes(), (std::vector<int64_t>{3, 3, 4, 4}));
  EXPECT_FLOAT_EQ(batch.images[0][0][0][0].item<float>(), 50 / 127.5f - 1);
  EXPECT_FLOAT_EQ(batch.images[1].max().item<float>(), -1);
  EXPECT_EQ(batch.labels.flatten()[0].item<int64_t>(), 2);
  ASSERT_EQ(data->info().factors.size(), 1u);
  EXPECT_EQ(data->info().factors[0].cardinality, 3);
  EXPECT_NEAR(data->info().factors[0].entropy_bits, std::log2(3.0), 1e-12);
  EXPECT_EQ(data->info().skipped, 0);
  EXPECT_TRUE(data->info().notes.empty());
  EXPECT_TRUE(open("label = ''\n")->info().factors.empty());
}

TEST_F(WebDatasetTest, SeveralShardsAndBothFormats) {
  test::write_tar(path("train-1.tar"), six());
  const auto grey = test::pixels(8, 8, 3, [](int, int, int) { return 77; });
  test::write_tar(path("train-0.tar"), {{"j.jpeg", test::jpeg(8, 8, grey)}, {"j.json", json(7)}});
  const auto data = open();
  EXPECT_EQ(data->size(), 7);
  const Batch first = data->get(std::vector<int64_t>{0});
  EXPECT_FLOAT_EQ(first.images.mean().item<float>(), 77 / 127.5f - 1);
  EXPECT_EQ(data->info().factors[0].cardinality, 8);
}

TEST_F(WebDatasetTest, CacheGivesTheSameAndFollowsTheContent) {
  test::write_tar(path("train.tar"), six());
  const std::string cached = fmt::format("cache_dir = '{}'\n", path("cache"));
  const std::vector<int64_t> ids{0, 1, 2, 3, 4, 5};
  const Batch plain = open()->get(ids), made = open(cached)->get(ids);
  const auto again = open(cached);
  const Batch reread = again->get(ids);
  for (const Batch* batch : {&made, &reread}) {
    EXPECT_TRUE(torch::equal(batch->images, plain.images));
    EXPECT_TRUE(torch::equal(batch->labels, plain.labels));
  }
  const std::string cache_file = fmt::format("cache/images-{}.bin", again->info().hash);
  ASSERT_TRUE(std::filesystem::exists(path(cache_file)));
  // A cache file that is not whole is made anew.
  write(cache_file, read(cache_file).substr(0, 100));
  EXPECT_TRUE(torch::equal(open(cached)->get(ids).images, plain.images));
  // Other content, other hash.
  Entries changed = six();
  changed[0].second = test::flat_png(8, 200);
  test::write_tar(path("train.tar"), changed);
  const auto other = open(cached);
  EXPECT_NE(other->info().hash, again->info().hash);
  EXPECT_FLOAT_EQ(other->get(ids).images[0].mean().item<float>(), 200 / 127.5f - 1);
}

TEST_F(WebDatasetTest, CacheThatCannotBeWrittenIsSaid) {
  test::write_tar(path("train.tar"), six());
  write("occupied", "a file where a folder should be");
  const auto data = open(fmt::format("cache_dir = '{}'\n", path("occupied")));
  EXPECT_EQ(data->size(), 6);
  ASSERT_EQ(data->info().notes.size(), 1u);
  EXPECT_NE(data->info().notes[0].find("not kept on disk"), std::string::npos);
}

TEST_F(WebDatasetTest, TooLargeForMemoryIsDecodedByBatchAndSaid) {
  test::write_tar(path("train.tar"), six());
  const auto data = open("cache_mb = 0\n");
  ASSERT_EQ(data->info().notes.size(), 1u);
  EXPECT_NE(data->info().notes[0].find("not cached: 6 images"), std::string::npos);
  const std::vector<int64_t> ids{4, 2};
  EXPECT_TRUE(torch::equal(data->get(ids).images, open()->get(ids).images));
}

TEST_F(WebDatasetTest, MissingFile) {
  const Error error = test::error_of([&] { open(); });
  EXPECT_EQ(error.code(), "data.missing_file");
  EXPECT_NE(std::string(error.what()).find("train*.tar"), std::string::npos);
  EXPECT_EQ(error.place().line, 2);
  EXPECT_EQ(test::error_of([&] { open("on_error = 'skip'\n"); }).code(), "data.empty");
}

TEST_F(WebDatasetTest, TruncatedShard) {
  test::write_tar(path("whole.tar"), six());
  const std::string whole = read("whole.tar");
  // An entry is a header of 512 bytes and its content, padded to 512: here two blocks each.
  ASSERT_LT(test::flat_png(8, 50).size(), 512u);
  write("train.tar", whole.substr(0, 4 * 2048 + 700));  // inside the fifth picture
  expect_fault("data.truncated", {"train.tar", "0004"}, 4, 1);
  write("train.tar", whole.substr(0, 4 * 2048));  // exactly between two samples
  expect_fault("data.truncated", {"train.tar", "0003"}, 4, 1);
}

TEST_F(WebDatasetTest, NoTarFile) {
  test::write_tar(path("train-a.tar"), six());
  write("train-b.tar", std::string(3000, 'x'));
  expect_fault("data.archive", {"train-b.tar", "tar"}, 6, 1);
}

TEST_F(WebDatasetTest, PictureThatDoesNotDecode) {
  Entries entries = six();
  entries[4].second = entries[4].second.substr(0, 50);
  test::write_tar(path("train.tar"), entries);
  expect_fault("data.decode", {"train.tar", "0002"}, 5, 1);
  expect_fault("data.decode", {"train.tar", "0002"}, 5, 1,
               fmt::format("cache_dir = '{}'\n", path("cache")));
  EXPECT_EQ(open("cache_mb = 0\non_error = 'skip'\n")->size(), 5);
  const auto lazy = open("cache_mb = 0\n");  // found when it is needed
  const Error error = test::error_of([&] { lazy->get(std::vector<int64_t>{2}); });
  EXPECT_EQ(error.code(), "data.decode");
  EXPECT_NE(std::string(error.what()).find("0002"), std::string::npos);
}

TEST_F(WebDatasetTest, Labels) {
  test::write_tar(path("train.tar"), six());
  expect_fault("data.label", {"0002", "label 2", "0 … 1"}, 4, 2, "classes = 2\n");
  for (const std::string bad : {"{\"label\": -1}", "{\"label\": 1.5}", "{}", "[1]", "{\"la"}) {
    Entries entries = six();
    entries[7].second = bad;
    test::write_tar(path("train.tar"), entries);
    expect_fault("data.label", {"train.tar", "0003"}, 5, 1);
  }
  Entries entries = six();
  entries.erase(entries.begin() + 3);
  test::write_tar(path("train.tar"), entries);
  expect_fault("data.label", {"0001", "json"}, 5, 1);
  entries = six();
  entries.erase(entries.begin() + 2);
  test::write_tar(path("train.tar"), entries);
  expect_fault("data.decode", {"0001"}, 5, 1);
}

TEST_F(WebDatasetTest, SplitsMustNotShareAFile) {
  test::write_tar(path("train.tar"), six());
  EXPECT_EQ(test::error_of([&] { open("", Split::train, "*.tar"); }).code(), "data.overlap");
}

TEST_F(WebDatasetTest, TinyImagenetAsItIs) {
  const std::string real = ASSAY_SOURCE_DIR "/../shared/data/tiny-imagenet";
  if (!std::filesystem::exists(real)) GTEST_SKIP() << "no ../shared/data/tiny-imagenet here";
  const auto open_real = [&](const std::string& path, const std::string& heldout, Split split) {
    return test::make_dataset(
        fmt::format(
            "kind = 'webdataset'\npath = '{}'\nheldout = '{}'\nclasses = 200\ncache_dir = '{}'",
            path, heldout, this->path("cache")),
        split, real);
  };
  const auto data = open_real("train-0003.tar", "val-0000.tar", Split::heldout);
  EXPECT_EQ(data->size(), 5000);
  EXPECT_EQ(data->info().skipped, 0);
  EXPECT_NEAR(data->info().factors[0].entropy_bits, std::log2(200.0), 1e-9);  // balanced
  std::vector<int64_t> ids(64);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i * 71);
  const Batch batch = data->get(ids);
  EXPECT_LT(std::abs(batch.images.mean().item<float>()), 0.25);
  EXPECT_NEAR(batch.images.std().item<float>(), 0.53, 0.12);
}

}  // namespace
}  // namespace assay
