// Walks the table of datasets: what is registered obeys the contract.
#include <cmath>
#include <set>

#include "data/fixtures.h"

namespace assay {
namespace {

using test::DataTest;

class EveryDataset : public DataTest {
 protected:
  /// TOML of a small instance of each registered kind, and its files. Empty = unknown kind.
  std::vector<std::string> examples_of(const std::string& kind) {
    if (kind == "world")
      return {"kind = 'world'\nexamples = 40\nheldout = 30",
              "kind = 'world'\nview = 'caption'\nexamples = 40\nheldout = 30"};
    if (kind == "text") {
      std::string text;
      for (int i = 0; i < 400; ++i) text += fmt::format("{} grüße, ", i * i);
      write("train.txt", text);
      write("heldout.txt", "Another book. " + text);
      const std::string base =
          "kind = 'text'\npath = 'train.txt'\nheldout = 'heldout.txt'\nwindow = 32";
      return {base, base +
                        "\nderived = ['book', 'next-class', 'next-frequency', 'word-length', "
                        "'sentence']\nderived_bins = 2"};
    }
    if (kind == "webdataset") {
      for (const std::string name : {"train", "heldout"}) {
        std::vector<std::pair<std::string, std::string>> entries;
        for (int i = 0; i < 30; ++i) {
          const auto picture =
              test::pixels(40, 36, 3, [&](int r, int c, int k) { return r * i + c + 60 * k; });
          entries.emplace_back(fmt::format("{:03d}.jpg", i), test::jpeg(40, 36, picture));
          entries.emplace_back(fmt::format("{:03d}.json", i),
                               fmt::format("{{\"label\":{}}}", i % 5));
        }
        test::write_tar(path(name + ".tar"), entries);
      }
      const std::string base =
          "kind = 'webdataset'\npath = 'train.tar'\nheldout = 'heldout.tar'\n"
          "size = 16\ncache_dir = '";
      const std::string derived = "'\nderived = ['hue', 'contrast', 'edge-x']\nderived_bins = 3";
      return {base + path("cache") + "'", base + "'\ncache_mb = 0", base + path("cache") + derived};
    }
    if (kind == "folder") {
      for (const std::string name : {"train", "heldout"})
        for (int i = 0; i < 15; ++i) {
          const auto picture = test::pixels(20, 17, 3, [&](int r, int c, int k) {
            return r * i + c + (name == "train") * 9 * k;
          });
          const std::string parent = fmt::format("{}/class{}", name, i % 3);
          std::filesystem::create_directories(path(parent));
          write(fmt::format("{}/{:02d}.png", parent, i), test::png(20, 17, picture));
        }
      const std::string base =
          "kind = 'folder'\npath = 'train'\nheldout = 'heldout'\nsize = 8\ncache_dir = '";
      return {base + path("cache") + "'", base + "'\ncache_mb = 0",
              base + "'\nderived = ['luminance', 'edge-y']\nderived_bins = 2"};
    }
    if (kind == "arrays") return arrays();
    return {};
  }

 private:
  /// uint8 RGB with the channels last, averaged; grey float32; tensors with two factors.
  std::vector<std::string> arrays() const {
    for (const int split : {0, 1}) {
      const std::string name = split == 0 ? "train" : "heldout";
      std::vector<uint8_t> bytes;
      std::vector<float> floats;
      std::vector<int64_t> labels;
      for (int i = 0; i < 20 * 8 * 8 * 3; ++i)
        bytes.push_back(static_cast<uint8_t>(i * (7 + split)));
      for (int i = 0; i < 20 * 8 * 8; ++i)
        floats.push_back(static_cast<float>((i + 5 * split) % 41) / 40);
      for (int i = 0; i < 20 * 2; ++i) labels.push_back(i % 2 == 0 ? i % 3 : i % 5);
      write(name + "_rgb.npy", test::npy("'|u1'", "(20, 8, 8, 3)", test::raw(bytes)));
      write(name + "_grey.npy", test::npy("'<f4'", "(20, 8, 8)", test::raw(floats)));
      write(name + "_labels.npy", test::npy("'<i8'", "(20, 2)", test::raw(labels)));
      write(name + ".safetensors",
            test::safetensors("{\"images\":{\"dtype\":\"U8\",\"shape\":[20,3,8,8],"
                              "\"data_offsets\":[0,3840]},\"labels\":{\"dtype\":\"I64\","
                              "\"shape\":[20,2],\"data_offsets\":[3840,4160]}}",
                              test::raw(bytes) + test::raw(labels)));
    }
    const std::string base = "kind = 'arrays'\n";
    return {base + "path = 'train_rgb.npy'\nheldout = 'heldout_rgb.npy'\nsize = 4",
            base +
                "path = 'train_grey.npy'\nheldout = 'heldout_grey.npy'\nrange = [0, 1]\n"
                "labels = 'train_labels.npy'\nheldout_labels = 'heldout_labels.npy'",
            base +
                "path = 'train.safetensors'\nheldout = 'heldout.safetensors'\n"
                "factors = ['shape', 'colour']",
            base +
                "path = 'train.safetensors'\nheldout = 'heldout.safetensors'\n"
                "derived = ['saturation', 'orientation']\nderived_bins = 4"};
  }
};

void expect_same_rows(const Batch& whole, const Dataset& data) {
  for (int64_t row = whole.size() - 1; row >= 0; --row) {
    const std::vector<int64_t> id{whole.ids[static_cast<size_t>(row)]};
    const Batch one = data.get(id);
    if (whole.images.defined()) {
      EXPECT_TRUE(torch::equal(one.images[0], whole.images[row]));
    }
    if (whole.bytes.defined()) {
      EXPECT_TRUE(torch::equal(one.bytes[0], whole.bytes[row]));
    }
    EXPECT_TRUE(torch::equal(one.labels[0], whole.labels[row]));
  }
}

void expect_shapes_and_ranges(const Batch& batch, const DatasetInfo& info) {
  const int64_t count = batch.size();
  EXPECT_NE(batch.images.defined(), batch.bytes.defined());
  if (info.modality == Modality::image) {
    const std::vector<int64_t> shape{count, info.channels, info.image_size, info.image_size};
    ASSERT_TRUE(batch.images.defined());
    EXPECT_EQ(batch.images.sizes(), shape);
    EXPECT_EQ(batch.images.scalar_type(), torch::kFloat32);
    EXPECT_TRUE(torch::isfinite(batch.images).all().item<bool>());
    EXPECT_LT(batch.images.abs().max().item<float>(), 10);
  } else {
    ASSERT_TRUE(batch.bytes.defined());
    EXPECT_EQ(batch.bytes.sizes(), (std::vector<int64_t>{count, info.window + 1}));
    EXPECT_EQ(batch.bytes.scalar_type(), torch::kInt64);
    EXPECT_GE(batch.bytes.min().item<int64_t>(), 0);
    EXPECT_LE(batch.bytes.max().item<int64_t>(), 255);
  }
  const auto factors = static_cast<int64_t>(info.factors.size());
  EXPECT_EQ(batch.labels.sizes(), (std::vector<int64_t>{count, factors}));
  EXPECT_EQ(batch.labels.scalar_type(), torch::kInt64);
  for (int64_t k = 0; k < factors; ++k) {
    const Factor& factor = info.factors[static_cast<size_t>(k)];
    const Tensor column = batch.labels.select(1, k);
    EXPECT_GE(column.min().item<int64_t>(), -1) << factor.name;
    EXPECT_LT(column.max().item<int64_t>(), factor.cardinality) << factor.name;
    EXPECT_LE(factor.entropy_bits, std::log2(static_cast<double>(factor.cardinality)) + 1e-9);
    EXPECT_TRUE(factor.kind == "content" || factor.kind == "position");
  }
}

TEST_F(EveryDataset, IsPureAndHasTheStatedShapes) {
  for (const DatasetEntry& entry : dataset_entries()) {
    const auto examples = examples_of(entry.name);
    ASSERT_FALSE(examples.empty()) << entry.name << " is registered but not tested: add an example";
    for (const std::string& toml : examples)
      for (const Split split : {Split::train, Split::heldout}) {
        SCOPED_TRACE(toml);
        const auto data = test::make_dataset(toml, split, folder().string());
        const std::vector<int64_t> ids{3, 0, 7, 3, data->size() - 1};
        const Batch batch = data->get(ids);
        EXPECT_EQ(batch.ids, ids);
        EXPECT_EQ(batch.replicas, (std::vector<int64_t>{0, 0, 0, 1, 0}));
        expect_shapes_and_ranges(batch, data->info());
        expect_same_rows(batch, *data);
        const auto again = test::make_dataset(toml, split, folder().string());
        expect_same_rows(batch, *again);
        EXPECT_EQ(again->info().hash, data->info().hash);
        EXPECT_EQ(data->info().hash.size(), 16u);
        for (const int64_t bad : {int64_t{-1}, data->size()})
          EXPECT_EQ(test::error_of([&] { data->get(std::vector<int64_t>{bad}); }).code(),
                    "data.range");
      }
  }
}

TEST_F(EveryDataset, SplitsDiffer) {
  for (const DatasetEntry& entry : dataset_entries()) {
    if (entry.name == "webdataset") continue;  // this fixture writes the same pictures twice
    for (const std::string& toml : examples_of(entry.name)) {
      const std::vector<int64_t> ids{0, 1, 2};
      const Batch train = test::make_dataset(toml, Split::train, folder().string())->get(ids);
      const Batch heldout = test::make_dataset(toml, Split::heldout, folder().string())->get(ids);
      const bool image = train.images.defined();
      EXPECT_FALSE(image ? torch::equal(train.images, heldout.images)
                         : torch::equal(train.bytes, heldout.bytes));
    }
  }
}

TEST_F(EveryDataset, DescribesItselfBeforeItIsOpened) {
  for (const DatasetEntry& entry : dataset_entries())
    for (const std::string& toml : examples_of(entry.name)) {
      SCOPED_TRACE(toml);
      const Node table = parse_toml(toml, "test.toml");
      const auto data = test::make_dataset(toml, Split::train, folder().string());
      // Options must do, so that a study can be checked where its data is not; but only the files
      // know the shapes of arrays.
      if (entry.name != "arrays") std::filesystem::remove_all(folder());
      const DatasetInfo info =
          entry.describe(Options(table, entry.options, "data.test"), folder().string());
      EXPECT_EQ(info.kind, data->info().kind);
      EXPECT_EQ(info.modality, data->info().modality);
      EXPECT_EQ(info.channels, data->info().channels);
      EXPECT_EQ(info.image_size, data->info().image_size);
      EXPECT_EQ(info.window, data->info().window);
      ASSERT_EQ(info.factors.size(), data->info().factors.size());
      for (size_t k = 0; k < info.factors.size(); ++k) {
        EXPECT_EQ(info.factors[k].name, data->info().factors[k].name);
        if (info.factors[k].cardinality > 0) {
          EXPECT_EQ(info.factors[k].cardinality, data->info().factors[k].cardinality);
        }
      }
      std::filesystem::create_directories(folder());
      examples_of(entry.name);
    }
}

TEST_F(EveryDataset, RefusesUnknownOptionsAndKinds) {
  for (const DatasetEntry& entry : dataset_entries())
    for (const std::string& toml : examples_of(entry.name)) {
      const Error error = test::error_of(
          [&] { test::make_dataset("imagesize = 3\n" + toml, Split::train, folder().string()); });
      EXPECT_EQ(error.code(), "config.unknown_key");
      EXPECT_EQ(error.place().line, 1);
    }
  EXPECT_EQ(test::error_of([] { test::make_dataset("kind = 'wrld'", Split::train, ""); }).code(),
            "config.choice");
  EXPECT_NE(test::error_of([] { test::make_dataset("kind = 'worlds'", Split::train, ""); })
                .help()
                .find("`world`"),
            std::string::npos);
  EXPECT_EQ(test::error_of([] { test::make_dataset("size = 3", Split::train, ""); }).code(),
            "config.missing_key");
}

TEST(Order, EveryEpochIsAPermutationAndEpochsDiffer) {
  constexpr int64_t size = 50, batch = 8;
  std::vector<int64_t> all;
  for (int64_t step = 0; step < 25; ++step)  // four epochs; batches cross their borders
    for (const int64_t id : ids_of_step(Seed(3), size, batch, step)) all.push_back(id);
  std::set<std::vector<int64_t>> epochs;
  for (auto start = all.begin(); start != all.end(); start += size) {
    EXPECT_EQ(std::set<int64_t>(start, start + size).size(), size_t{size});
    epochs.insert(std::vector<int64_t>(start, start + size));
  }
  EXPECT_EQ(epochs.size(), 4u);
  EXPECT_EQ(ids_of_step(Seed(3), size, batch, 17),
            std::vector<int64_t>(all.begin() + 17 * batch, all.begin() + 18 * batch));
  EXPECT_NE(ids_of_step(Seed(4), size, batch, 17), ids_of_step(Seed(3), size, batch, 17));
}

TEST(Order, ReplicasCountRepeats) {
  EXPECT_EQ(replicas_of(std::vector<int64_t>{5, 6, 5, 5, 6}),
            (std::vector<int64_t>{0, 0, 1, 2, 1}));
  const auto ids = ids_of_step(Seed(1), 3, 7, 0);  // more than two epochs in one batch
  EXPECT_EQ(ids.size(), 7u);
}

}  // namespace
}  // namespace assay
