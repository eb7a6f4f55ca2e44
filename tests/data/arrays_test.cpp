// Arrays of images: layouts, ranges, labels, and every fault on purpose.
#include <cmath>

#include "assay/data/array_file.h"
#include "data/fixtures.h"

namespace assay {
namespace {

class ArraysTest : public test::DataTest {
 protected:
  void SetUp() override {
    DataTest::SetUp();
    bytes("train.npy", "(4, 4, 4, 3)", 0);
    bytes("heldout.npy", "(4, 4, 4, 3)", 100);
    labels("train_labels.npy", {0, 2, 1, 2});
    labels("heldout_labels.npy", {1, 1, -1, 0});
  }

  /// 192 bytes 0, 1, 2, … from `first`.
  static std::vector<uint8_t> ramp(int first) {
    std::vector<uint8_t> out;
    for (int i = 0; i < 192; ++i) out.push_back(static_cast<uint8_t>(first + i));
    return out;
  }
  void bytes(const std::string& name, const std::string& shape, int first = 0) const {
    write(name, test::npy("'|u1'", shape, test::raw(ramp(first))));
  }
  void floats(const std::string& name, const std::string& shape,
              const std::vector<float>& data) const {
    write(name, test::npy("'<f4'", shape, test::raw(data)));
  }
  void labels(const std::string& name, const std::vector<int64_t>& values) const {
    write(name, test::npy("'<i8'", fmt::format("({},)", values.size()), test::raw(values)));
  }

  std::unique_ptr<Dataset> open(const std::string& more = "", Split split = Split::train) const {
    const std::string path = more.find("path") == std::string::npos ? "path = 'train.npy'\n" : "";
    return test::make_dataset("kind = 'arrays'\nheldout = 'heldout.npy'\n" + path + more, split,
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

const std::string with_labels =
    "labels = 'train_labels.npy'\nheldout_labels = 'heldout_labels.npy'\n";

/// Pixel (channel, row, column) of example `n`, back in 0 … 255.
float pixel(const Dataset& data, int64_t n, int64_t c, int64_t row, int64_t column) {
  return (data.get(std::vector<int64_t>{n}).images[0][c][row][column].item<float>() + 1) * 127.5f;
}

TEST_F(ArraysTest, LayoutsPutChannelsFirst) {
  const auto last = open();
  EXPECT_EQ(last->size(), 4);
  EXPECT_EQ(last->info().channels, 3);
  EXPECT_EQ(last->info().image_size, 4);
  EXPECT_NEAR(pixel(*last, 1, 2, 3, 1), 48 + (3 * 4 + 1) * 3 + 2, 1e-4);
  bytes("train.npy", "(4, 3, 4, 4)");
  EXPECT_NEAR(pixel(*open(), 1, 2, 3, 1), 48 + 2 * 16 + 3 * 4 + 1, 1e-4);
  bytes("train.npy", "(12, 4, 4)");
  const auto grey = open();
  EXPECT_EQ(grey->info().channels, 1);
  EXPECT_NEAR(pixel(*grey, 5, 0, 3, 1), 5 * 16 + 3 * 4 + 1, 1e-4);
  EXPECT_EQ(grey->get(std::vector<int64_t>{0, 3}).images.sizes(),
            (std::vector<int64_t>{2, 1, 4, 4}));
}

TEST_F(ArraysTest, AmbiguousOrImpossibleLayoutsAreRefused) {
  bytes("train.npy", "(16, 2, 2, 3)");
  EXPECT_EQ(open()->info().channels, 3);
  bytes("train.npy", "(24, 2, 2, 2)");
  expect_error("data.layout", {"train.npy", "[24, 2, 2, 2]", "first or last"}, "\"hwc\"");
  EXPECT_NEAR(pixel(*open("layout = 'hwc'\n"), 0, 1, 0, 0), 1, 1e-4);
  EXPECT_NEAR(pixel(*open("layout = 'chw'\n"), 0, 1, 0, 0), 4, 1e-4);
  bytes("train.npy", "(2, 4, 4, 6)");
  expect_error("data.layout", {"train.npy", "not guessed"}, "layout");
  EXPECT_EQ(open("layout = 'hwc'\n")->info().channels, 6);
  bytes("train.npy", "(8, 4, 6)");
  expect_error("data.layout", {"train.npy", "4 × 6 are not square"}, "crop or pad");
  bytes("train.npy", "(4, 8, 2, 3)");
  expect_error("data.layout", {"8 × 2 are not square"}, "crop or pad");
  bytes("train.npy", "(4, 3, 8, 2)");
  expect_error("data.layout", {"8 × 2 are not square"}, "crop or pad");
  bytes("train.npy", "(12, 4, 4)");
  expect_error("data.layout", {"not of layout \"chw\""}, "3 sides", "layout = 'chw'\n");
  bytes("train.npy", "(12, 16)");
  expect_error("data.layout", {"[12, 16]", "3 sides"}, "reshape");
}

TEST_F(ArraysTest, AveragesAreasExactly) {
  bytes("train.npy", "(12, 4, 4)");
  const auto data = open("size = 2\n");
  EXPECT_EQ(data->info().image_size, 2);
  // Rows 2 and 3, columns 0 and 1 of example 3: 48 + {8, 9, 12, 13}.
  EXPECT_NEAR(pixel(*data, 3, 0, 1, 0), 48 + 10.5, 1e-4);
  EXPECT_NEAR(pixel(*open("size = 1\n"), 3, 0, 0, 0), 48 + 7.5, 1e-4);
  expect_error("data.layout", {"train.npy", "4 × 4", "size 3"}, "divides 4", "size = 3\n");
}

TEST_F(ArraysTest, RangeBecomesMinusOneToOne) {
  std::vector<float> values(64);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 16) / 4 - 1;
  floats("train.npy", "(4, 4, 4)", values);
  const auto data = open("range = [-1, 3]\n");
  const Tensor image = data->get(std::vector<int64_t>{2}).images;
  EXPECT_FLOAT_EQ(image[0][0][0][0].item<float>(), -1);
  EXPECT_FLOAT_EQ(image[0][0][2][0].item<float>(), 0);  // 1 lies in the middle of -1 … 3
  EXPECT_FLOAT_EQ(image[0][0][3][3].item<float>(), 0.875);
  expect_error("config.missing_key", {"train.npy", "float32", "`range`"}, "range = [0, 1]");
  expect_error("config.range", {"`range`"}, "smallest", "range = [1, 1]\n");
  expect_error("data.value", {"train.npy", "example 0", "-1", "[0, 1]"}, "-1 … 2.75",
               "range = [0, 1]\n");
  values[39] = std::nanf("");
  floats("train.npy", "(4, 4, 4)", values);
  expect_error("data.value", {"train.npy", "example 2", "nan"}, "nan_to_num", "range = [-1, 3]\n");
  std::vector<uint8_t> bits(64, 1);
  bits[0] = 0;
  write("train.npy", test::npy("'|u1'", "(4, 4, 4)", test::raw(bits)));
  EXPECT_FLOAT_EQ(open("range = [0, 1]\n")->get(std::vector<int64_t>{1}).images.max().item<float>(),
                  1);
  bits[17] = 2;
  write("train.npy", test::npy("'|u1'", "(4, 4, 4)", test::raw(bits)));
  expect_error("data.value", {"example 1", "2"}, "0 … 2", "range = [0, 1]\n");
}

TEST_F(ArraysTest, LabelsBecomeFactors) {
  EXPECT_TRUE(open()->info().factors.empty());
  const auto data = open(with_labels);
  ASSERT_EQ(data->info().factors.size(), 1u);
  EXPECT_EQ(data->info().factors[0].name, "class");
  EXPECT_EQ(data->info().factors[0].cardinality, 3);
  EXPECT_NEAR(data->info().factors[0].entropy_bits, 1.5, 1e-12);
  EXPECT_EQ(data->get(std::vector<int64_t>{3}).labels.item<int64_t>(), 2);
  const auto heldout = open(with_labels, Split::heldout);
  EXPECT_EQ(heldout->info().factors[0].cardinality, 3);  // of training
  EXPECT_EQ(heldout->get(std::vector<int64_t>{2}).labels.item<int64_t>(), -1);
  EXPECT_NEAR(heldout->info().factors[0].entropy_bits, std::log2(3) - 2.0 / 3, 1e-12);  // 1, 1, 0

  const std::vector<uint8_t> two{0, 4, 1, 0, 0, 2, 1, 1};
  write("train_labels.npy", test::npy("'|u1'", "(4, 2)", test::raw(two)));
  const auto both = open(with_labels);
  ASSERT_EQ(both->info().factors.size(), 2u);
  EXPECT_EQ(both->info().factors[1].name, "label1");
  EXPECT_EQ(both->info().factors[1].cardinality, 5);
  EXPECT_EQ(both->get(std::vector<int64_t>{2}).labels[0][1].item<int64_t>(), 2);
  EXPECT_EQ(open(with_labels + "factors = ['a', 'b']\n")->info().factors[1].name, "b");
  expect_error("data.label", {"3 names", "2 columns"}, "one name per column",
               with_labels + "factors = ['a', 'b', 'c']\n");
  expect_error("data.label", {"heldout.npy", "1 columns", "2 in training"}, "same factors",
               with_labels, Split::heldout);
}

TEST_F(ArraysTest, EveryIntegerTypeIsALabel) {
  const auto check = [&](const std::string& descr, const std::string& data) {
    write("train_labels.npy", test::npy(descr, "(4,)", data));
    const Tensor labels = open(with_labels)->get(std::vector<int64_t>{0, 1, 2, 3}).labels;
    EXPECT_TRUE(torch::equal(labels.flatten(), torch::tensor({7, 0, 1, 2}, torch::kInt64)))
        << descr;
  };
  check("'|u1'", test::raw(std::vector<uint8_t>{7, 0, 1, 2}));
  check("'|i1'", test::raw(std::vector<int8_t>{7, 0, 1, 2}));
  check("'<u2'", test::raw(std::vector<uint16_t>{7, 0, 1, 2}));
  check("'<i2'", test::raw(std::vector<int16_t>{7, 0, 1, 2}));
  check("'<u4'", test::raw(std::vector<uint32_t>{7, 0, 1, 2}));
  check("'<i4'", test::raw(std::vector<int32_t>{7, 0, 1, 2}));
  check("'<u8'", test::raw(std::vector<uint64_t>{7, 0, 1, 2}));
}

TEST_F(ArraysTest, WrongLabelsAreNamed) {
  labels("train_labels.npy", {0, 1, -2, 1});
  expect_error("data.label", {"train_labels.npy", "label -2 of example 2"}, "-1 where unknown",
               with_labels);
  labels("train_labels.npy", {0, 1, 2});
  expect_error("data.label", {"3 labels in", "train_labels.npy", "4 images in", "train.npy"},
               "same images", with_labels);
  labels("train_labels.npy", {-1, -1, -1, -1});
  expect_error("data.label", {"`class` is known"}, "leave out", with_labels);
  floats("train_labels.npy", "(4,)", {0, 1, 2, 1});
  expect_error("data.dtype", {"train_labels.npy", "float32", "not integers"}, "astype(np.int64)",
               with_labels);
  write("train_labels.npy", test::npy("'|u1'", "(4, 1, 1)", std::string(4, '\1')));
  expect_error("data.label", {"train_labels.npy", "3 sides"}, "argmax", with_labels);
  labels("train_labels.npy", {0, 1, 2, 1});
  labels("heldout_labels.npy", {0, 1, 3, 1});
  expect_error("data.label", {"heldout_labels.npy", "label 3 of example 2", "3 values of `class`"},
               "-1", with_labels, Split::heldout);
  expect_error("config.missing_key", {"`labels` without `heldout_labels`"}, "both splits",
               "labels = 'train_labels.npy'\n", Split::heldout);
  expect_error("data.format", {"labels.csv", ".npy"}, "np.save", "labels = 'labels.csv'\n");
}

TEST_F(ArraysTest, SplitsMustBeTwoFilesOfOneKind) {
  expect_error("data.overlap", {"same file"}, "another file", "path = './heldout.npy'\n");
  bytes("heldout.npy", "(4, 3, 4, 4)");  // another layout is no difference
  EXPECT_EQ(open("", Split::heldout)->size(), 4);
  bytes("heldout.npy", "(12, 4, 4)");
  expect_error("data.layout", {"heldout.npy", "uint8 images of 1 × 4 × 4", "train.npy"}, "channels",
               "", Split::heldout);
  write("heldout.npy", test::npy("'|u1'", "(0, 4, 4, 3)", ""));
  expect_error("data.empty", {"heldout.npy", "no image"}, "at least one", "", Split::heldout);
}

TEST_F(ArraysTest, HashIsOfTheContentAndNotOfTheContainer) {
  const std::string hash = open()->info().hash;
  write("train.safetensors", test::safetensors("{\"images\":{\"dtype\":\"U8\",\"shape\":[4,4,4,3],"
                                               "\"data_offsets\":[0,192]}}",
                                               test::raw(ramp(0))));
  EXPECT_EQ(open("path = 'train.safetensors'\n")->info().hash, hash);
  EXPECT_NE(open("size = 2\n")->info().hash, hash);
  const std::string labelled = open(with_labels)->info().hash;
  EXPECT_NE(labelled, hash);
  labels("train_labels.npy", {2, 0, 1, 2});
  EXPECT_NE(open(with_labels)->info().hash, labelled);
  bytes("train.npy", "(4, 4, 4, 3)", 1);
  EXPECT_NE(open()->info().hash, hash);
}

}  // namespace
}  // namespace assay
