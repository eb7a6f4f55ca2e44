// Decoding and the box filter.
#include "assay/data/decode.h"

#include <cmath>

#include "data/fixtures.h"

namespace assay {
namespace {

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string reason(const std::string& file) {
  const Error error = test::error_of([&] { decode_image(bytes_of(file)); });
  EXPECT_EQ(error.code(), "data.decode");
  return error.what();
}

const auto slope = [](int row, int column, int c) { return 8 * row + 5 * column + 20 * c; };

TEST(Decode, PngIsExactAndJpegIsClose) {
  const auto data = test::pixels(12, 9, 3, slope);
  const Picture exact = decode_image(bytes_of(test::png(12, 9, data)));
  EXPECT_EQ(exact.width, 12);
  EXPECT_EQ(exact.height, 9);
  EXPECT_EQ(exact.rgb, data);
  const Picture close = decode_image(bytes_of(test::jpeg(12, 9, data)));
  ASSERT_EQ(close.rgb.size(), data.size());
  for (size_t i = 0; i < data.size(); ++i) EXPECT_NEAR(close.rgb[i], data[i], 10);
}

TEST(Decode, GreyBecomesRgb) {
  const auto grey = test::pixels(8, 8, 1, slope);
  for (const std::string& file :
       {test::png(8, 8, grey, PNG_FORMAT_GRAY), test::jpeg(8, 8, grey, JCS_GRAYSCALE)}) {
    const Picture picture = decode_image(bytes_of(file));
    ASSERT_EQ(picture.rgb.size(), 192u);
    for (size_t i = 0; i < 64; ++i) {
      EXPECT_NEAR(picture.rgb[3 * i], grey[i], 3);
      EXPECT_EQ(picture.rgb[3 * i], picture.rgb[3 * i + 2]);
    }
  }
}

TEST(Decode, RefusesWhatIsDamagedCutOrCmyk) {
  const auto data = test::pixels(32, 32, 3, slope);
  std::string file = test::jpeg(32, 32, data);
  EXPECT_NE(reason(file.substr(0, file.size() / 2)).find("JPEG"), std::string::npos);
  EXPECT_NE(reason(file.substr(0, 30)).find("JPEG"), std::string::npos);
  file = test::png(32, 32, data);
  EXPECT_NE(reason(file.substr(0, file.size() / 2)).find("PNG"), std::string::npos);
  file[file.size() / 2] = static_cast<char>(file[file.size() / 2] ^ 0x55);
  EXPECT_NE(reason(file).find("PNG"), std::string::npos);
  const auto four = test::pixels(8, 8, 4, slope);
  EXPECT_NE(reason(test::jpeg(8, 8, four, JCS_CMYK)).find("CMYK"), std::string::npos);
  EXPECT_NE(reason("hello, this is no picture").find("neither"), std::string::npos);
  EXPECT_EQ(reason(""), "empty");
}

TEST(Decode, BoxFilterAveragesWholeBlocks) {
  const auto data = test::pixels(8, 8, 3, slope);
  const Picture picture{8, 8, data};
  std::vector<uint8_t> out(3 * 4 * 4);
  area_average(picture, 4, out);
  for (int c = 0; c < 3; ++c)
    for (int row = 0; row < 4; ++row)
      for (int column = 0; column < 4; ++column) {
        const double mean = 8 * (2 * row + .5) + 5 * (2 * column + .5) + 20 * c;  // of four
        EXPECT_EQ(out[static_cast<size_t>((c * 4 + row) * 4 + column)], std::floor(mean + .5));
      }
}

// Ratios that are not whole: against the integral of the piecewise constant picture, by fine
// sampling.
TEST(Decode, BoxFilterIsExactForAnyRatio) {
  for (const auto& [side, size] : {std::pair{7, 3}, {10, 7}, {5, 8}, {6, 6}}) {
    const int n = side, m = size;
    const auto data = test::pixels(
        n, n, 3, [](int r, int c, int k) { return (r * 37 + c * 91 + k * 50 + r * c * 13) % 256; });
    std::vector<uint8_t> out(static_cast<size_t>(3 * m * m));
    area_average({n, n, data}, m, out);
    const int fine = n;  // n·m points along a side fall evenly into pixels of either grid
    for (int row = 0; row < m; ++row)
      for (int column = 0; column < m; ++column) {
        double sum = 0;
        for (int i = 0; i < fine; ++i)
          for (int j = 0; j < fine; ++j) {
            const int y = (row * fine + i) / m, x = (column * fine + j) / m;
            sum += data[static_cast<size_t>(3 * (y * n + x))];
          }
        EXPECT_NEAR(out[static_cast<size_t>(row * m + column)], sum / (fine * fine), 0.5 + 1e-3)
            << n << " to " << m;
      }
  }
}

TEST(Decode, CropsTheCentreOfWhatIsNotSquare) {
  const auto bars = test::pixels(12, 4, 3, [](int, int column, int) {
    return column < 4 ? 10 : column < 8 ? 100 : 200;
  });
  std::vector<uint8_t> out(3 * 2 * 2);
  area_average({12, 4, bars}, 2, out);
  EXPECT_EQ(out, std::vector<uint8_t>(12, 100));
}

}  // namespace
}  // namespace assay
