// libjpeg-turbo and libpng behind one function, and the box filter.
#include "assay/data/decode.h"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstdio>
// jpeglib.h needs size_t and FILE to be declared before it.
#include <jerror.h>
#include <jpeglib.h>

#include "assay/core/error.h"

namespace assay {
namespace {

constexpr int64_t most_pixels = 100'000'000;

struct JpegErrors {
  jpeg_error_mgr manager;
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
  bool damaged;
};

JpegErrors& errors_of(j_common_ptr jpeg) { return *reinterpret_cast<JpegErrors*>(jpeg->err); }

void stop_jpeg(j_common_ptr jpeg) {
  JpegErrors& errors = errors_of(jpeg);
  errors.manager.format_message(jpeg, errors.message);
  std::longjmp(errors.jump, 1);
}

/// libjpeg fills what is missing from a damaged file with grey and only warns. Bytes between
/// markers are the one warning that loses nothing.
void note_jpeg_warning(j_common_ptr jpeg, int level) {
  JpegErrors& errors = errors_of(jpeg);
  if (level >= 0 || errors.manager.msg_code == JWRN_EXTRANEOUS_DATA || errors.damaged) return;
  errors.damaged = true;
  errors.manager.format_message(jpeg, errors.message);
}

/// False, with errors.message set, if it cannot be decoded. No local with a destructor may live
/// here: longjmp skips it.
bool read_jpeg(std::span<const uint8_t> bytes, JpegErrors& errors, Picture& picture) {
  jpeg_decompress_struct jpeg;
  jpeg.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = stop_jpeg;
  errors.manager.emit_message = note_jpeg_warning;
  errors.manager.output_message = [](j_common_ptr) {};
  errors.damaged = false;
  if (setjmp(errors.jump)) {
    jpeg_destroy_decompress(&jpeg);
    return false;
  }
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, bytes.data(), bytes.size());
  jpeg_read_header(&jpeg, TRUE);
  if (jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK ||
      int64_t{jpeg.image_width} * int64_t{jpeg.image_height} > most_pixels) {
    std::snprintf(errors.message, sizeof errors.message, "%s",
                  jpeg.num_components == 4 ? "CMYK colours, convert it to RGB" : "too many pixels");
    jpeg_destroy_decompress(&jpeg);
    return false;
  }
  jpeg.out_color_space = JCS_RGB;
  jpeg_start_decompress(&jpeg);
  picture.width = static_cast<int>(jpeg.output_width);
  picture.height = static_cast<int>(jpeg.output_height);
  picture.rgb.resize(size_t{jpeg.output_width} * size_t{jpeg.output_height} * 3);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = picture.rgb.data() + size_t{jpeg.output_scanline} * jpeg.output_width * 3;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return !errors.damaged;
}

Picture decode_jpeg(std::span<const uint8_t> bytes) {
  Picture picture;
  JpegErrors errors{};
  if (!read_jpeg(bytes, errors, picture))
    throw Error("data.decode", fmt::format("JPEG: {}", std::string(errors.message)));
  return picture;
}

Picture decode_png(std::span<const uint8_t> bytes) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const auto fail = [&](const std::string& reason) {
    png_image_free(&image);
    throw Error("data.decode", fmt::format("PNG: {}", reason));
  };
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()))
    fail(std::string(image.message));
  if (int64_t{image.width} * int64_t{image.height} > most_pixels) fail("too many pixels");
  image.format = PNG_FORMAT_RGB;
  Picture picture{static_cast<int>(image.width), static_cast<int>(image.height), {}};
  picture.rgb.resize(PNG_IMAGE_SIZE(image));
  const png_color white{255, 255, 255};
  if (!png_image_finish_read(&image, &white, picture.rgb.data(), 0, nullptr))
    fail(std::string(image.message));
  return picture;
}

/// One output pixel's share of a row of source pixels.
struct Box {
  int first;
  std::vector<float> weights;  // of first, first + 1, …; they sum to 1
};

std::vector<Box> boxes_of(int side, int size) {
  const double ratio = static_cast<double>(side) / size;
  std::vector<Box> boxes;
  for (int i = 0; i < size; ++i) {
    const double low = i * ratio, high = (i + 1) * ratio;
    const int first = static_cast<int>(low);
    const int last = std::min(side, std::max(first + 1, static_cast<int>(std::ceil(high - 1e-9))));
    Box box{first, {}};
    for (int k = first; k < last; ++k)
      box.weights.push_back(
          static_cast<float>((std::min(high, k + 1.0) - std::max(low, double(k))) / ratio));
    boxes.push_back(std::move(box));
  }
  return boxes;
}

}  // namespace

Picture decode_image(std::span<const uint8_t> bytes) {
  if (bytes.size() >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF)
    return decode_jpeg(bytes);
  if (bytes.size() >= 8 && png_sig_cmp(bytes.data(), 0, 8) == 0) return decode_png(bytes);
  throw Error("data.decode", bytes.empty() ? "empty" : "neither a JPEG nor a PNG file");
}

void area_average(const Picture& picture, int size, std::span<uint8_t> out) {
  const int side = std::min(picture.width, picture.height);
  const int left = (picture.width - side) / 2, top = (picture.height - side) / 2;
  const std::vector<Box> boxes = boxes_of(side, size);
  const auto n = static_cast<size_t>(size), rows = static_cast<size_t>(side);
  std::vector<float> narrow(rows * n * 3, 0.0f);  // [side, size, 3]: rows averaged
  for (size_t row = 0; row < rows; ++row) {
    const uint8_t* from = picture.rgb.data() + 3 * ((row + static_cast<size_t>(top)) *
                                                        static_cast<size_t>(picture.width) +
                                                    static_cast<size_t>(left));
    float* to = narrow.data() + row * n * 3;
    for (const Box& box : boxes) {
      const uint8_t* pixel = from + 3 * box.first;
      for (const float weight : box.weights) {
        for (int c = 0; c < 3; ++c) to[c] += weight * static_cast<float>(*pixel++);
      }
      to += 3;
    }
  }
  std::vector<float> sums(n * 3);
  for (size_t row = 0; row < n; ++row) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    const float* from = narrow.data() + static_cast<size_t>(boxes[row].first) * n * 3;
    for (const float weight : boxes[row].weights)
      for (size_t i = 0; i < n * 3; ++i) sums[i] += weight * *from++;
    for (size_t column = 0; column < n; ++column)
      for (size_t c = 0; c < 3; ++c)
        out[(c * n + row) * n + column] = static_cast<uint8_t>(sums[column * 3 + c] + 0.5f);
  }
}

}  // namespace assay
