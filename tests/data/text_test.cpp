// Text files in windows.
#include "assay/data/utf8.h"
#include "data/fixtures.h"

namespace assay {
namespace {

class TextTest : public test::DataTest {
 protected:
  void SetUp() override {
    DataTest::SetUp();
    write("heldout.txt", "held out and long enough");
  }
  std::unique_ptr<Dataset> open(const std::string& more = "") const {
    return test::make_dataset(
        "kind = 'text'\npath = 'train.txt'\nheldout = 'heldout.txt'\nwindow = 4\n" + more,
        Split::train, folder().string());
  }
  std::string window(const Dataset& data, int64_t id) const {
    const Tensor bytes = data.get(std::vector<int64_t>{id}).bytes[0];
    std::string out;
    for (int64_t i = 0; i < bytes.size(0); ++i) out += static_cast<char>(bytes[i].item<int64_t>());
    return out;
  }
};

TEST_F(TextTest, WindowsShareOnlyTheBorderByte) {
  write("train.txt", "abcdefghijklm");  // 13 = 3 · 4 + 1
  const auto data = open();
  ASSERT_EQ(data->size(), 3);
  EXPECT_EQ(window(*data, 0), "abcde");
  EXPECT_EQ(window(*data, 2), "ijklm");
  write("train.txt", "abcdefghijkl");
  EXPECT_EQ(open()->size(), 2);
}

TEST_F(TextTest, TooShortAndMissing) {
  write("train.txt", "abcd");
  const Error error = test::error_of([&] { open(); });
  EXPECT_EQ(error.code(), "data.too_short");
  EXPECT_NE(std::string(error.what()).find("train.txt"), std::string::npos);
  EXPECT_EQ(test::error_of([&] { open("on_error = 'skip'"); }).code(), "data.empty");
  std::filesystem::remove(path("train.txt"));
  EXPECT_EQ(test::error_of([&] { open(); }).code(), "data.missing_file");
  std::filesystem::create_directory(path("train.txt"));
  EXPECT_EQ(test::error_of([&] { open(); }).code(), "data.missing_file");
}

TEST_F(TextTest, InvalidUtf8IsFoundOrItsWindowsSkipped) {
  write("train.txt", "abcdefghij\xFFlmnopq");  // byte 10, in the window of 8 … 12
  const Error error = test::error_of([&] { open(); });
  EXPECT_EQ(error.code(), "data.utf8");
  EXPECT_NE(std::string(error.what()).find("byte 10 (0xff)"), std::string::npos) << error.what();
  const auto data = open("on_error = 'skip'");
  ASSERT_EQ(data->size(), 3);
  EXPECT_EQ(data->info().skipped, 1);
  EXPECT_EQ(window(*data, 1), "efghi");
  EXPECT_EQ(window(*data, 2), "mnopq");
  write("train.txt",
        "abcd\xFF"
        "fghijklmnopq");  // a border byte belongs to two windows
  EXPECT_EQ(open("on_error = 'skip'")->size(), 2);
}

TEST(Utf8, AcceptsWhatUnicodeAllowsAndNothingElse) {
  const auto invalid = [](const std::string& text) {
    return first_invalid_utf8({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  };
  EXPECT_EQ(invalid("plain, ä, €, 𝄞, \xEF\xBF\xBF, \xF4\x8F\xBF\xBF"), std::nullopt);
  EXPECT_EQ(invalid("12345678\xC0\x80"), 8u);    // overlong
  EXPECT_EQ(invalid("a\xED\xA0\x80"), 1u);       // surrogate
  EXPECT_EQ(invalid("ab\xF4\x90\x80\x80"), 2u);  // beyond U+10FFFF
  EXPECT_EQ(invalid("abc\xE2\x82"), 3u);         // cut short
  EXPECT_EQ(invalid("\x80"), 0u);                // continuation alone
  EXPECT_EQ(invalid("ä\xE0\x9F\x80"), 2u);       // overlong
}

TEST_F(TextTest, BooksAsTheyAre) {
  const std::string real = ASSAY_SOURCE_DIR "/../shared/data/books";
  if (!std::filesystem::exists(real)) GTEST_SKIP() << "no ../shared/data/books here";
  const auto data = test::make_dataset("kind = 'text'\npath = 'train.txt'\nheldout = 'val.txt'",
                                       Split::train, real);
  EXPECT_EQ(data->size(), (41994825 - 1) / 64);
  EXPECT_EQ(data->info().skipped, 0);
}

}  // namespace
}  // namespace assay
