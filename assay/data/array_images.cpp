// Layout, range and area averages of images in arrays.
#include "assay/data/array_images.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace assay {
namespace {

constexpr int64_t most_channels_of_auto = 4;  // grey, grey and alpha, RGB, RGBA

Error layout_error(const FileArray& array, const std::string& reason, const std::string& help) {
  return Error("data.layout",
               fmt::format("{}: shape [{}]: {}", array.name, fmt::join(array.shape, ", "), reason),
               help);
}

/// "hw", "hwc" or "chw" for "auto": what has square images of at most four channels.
std::string guess_layout(const FileArray& array) {
  const std::vector<int64_t>& shape = array.shape;
  if (shape.size() == 3) return "hw";
  const bool last = shape[1] == shape[2] && shape[3] <= most_channels_of_auto;
  const bool first = shape[2] == shape[3] && shape[1] <= most_channels_of_auto;
  if (last && first)
    throw layout_error(array, "channels could come first or last",
                       "set layout = \"hwc\" or layout = \"chw\"");
  if (last || first) return last ? "hwc" : "chw";
  if (shape[1] == shape[2] || shape[2] == shape[3])
    throw layout_error(array,
                       fmt::format("more than {} channels are not guessed", most_channels_of_auto),
                       "set layout = \"hwc\" or layout = \"chw\"");
  return shape[1] <= most_channels_of_auto ? "chw" : "hwc";  // not square, whichever it is
}

void read_layout(ArrayImages& images, std::string layout) {
  const FileArray& array = images.array;
  const std::vector<int64_t>& shape = array.shape;
  if (shape.size() != 3 && shape.size() != 4)
    throw layout_error(array, "images have 3 sides [N, H, W] or 4 with channels",
                       "np.save(path, a.reshape(len(a), height, width))");
  if (layout == "auto") layout = guess_layout(array);
  if ((layout == "hw") != (shape.size() == 3))
    throw layout_error(array, fmt::format("not of layout \"{}\"", layout),
                       "layout = \"hw\" has 3 sides, \"hwc\" and \"chw\" have 4");
  images.channels_last = layout == "hwc";
  images.channels = layout == "hw" ? 1 : shape[layout == "hwc" ? 3 : 1];
  const int64_t height = shape[layout == "chw" ? 2 : 1], width = shape[layout == "chw" ? 3 : 2];
  if (height != width)
    throw layout_error(array, fmt::format("images of {} × {} are not square", height, width),
                       "crop or pad them before saving; if these are not height and width, set "
                       "`layout`");
  if (images.channels < 1 || height < 1)
    throw layout_error(array, "images have no pixel", "save at least one row, column and channel");
  images.side = height;
}

void read_range(ArrayImages& images, const Options& options) {
  const bool is_float = images.array.dtype == "float32";
  if (!is_float && images.array.dtype != "uint8")
    throw Error(
        "data.dtype",
        fmt::format("{}: images of {} are not supported", images.array.name, images.array.dtype),
        "np.save(path, a.astype(np.float32)), or np.uint8 for values 0 to 255");
  if (!options.has("range")) {
    if (is_float)
      throw options.error("path", "config.missing_key",
                          fmt::format("{}: float32 images need `range`", images.array.name),
                          "the smallest and the largest value of a pixel: range = [0, 1]");
    return;
  }
  const std::vector<double> range = options.reals("range");
  if (range.size() != 2 || !(range[0] < range[1]))
    throw options.error(
        "range", "config.range",
        fmt::format("`range` in [{}] must be two increasing numbers", options.where()),
        "the smallest and the largest value of a pixel: range = [0, 1]");
  images.low = range[0];
  images.high = range[1];
}

/// Means of ratio × ratio pixels. Sums in a fixed order, so that an example is the same in every
/// batch.
Tensor area_means(const Tensor& images, int64_t size) {
  const int64_t count = images.size(0), channels = images.size(1), side = images.size(2);
  const int64_t ratio = side / size;
  const auto sum_of = [&](const Tensor& parts, int64_t dimension) {
    Tensor sum = parts.select(dimension, 0).clone();
    for (int64_t i = 1; i < ratio; ++i) sum.add_(parts.select(dimension, i));
    return sum;
  };
  const Tensor rows = sum_of(images.view({count, channels, size, ratio, side}), 3).contiguous();
  return sum_of(rows.view({count, channels, size, size, ratio}), 4)
      .contiguous()
      .div_(static_cast<double>(ratio * ratio));
}

}  // namespace

std::vector<Option> array_image_options() {
  return {declare::choice("layout", "auto", {"auto", "hw", "hwc", "chw"},
                          "Order of an image's sides; \"auto\" takes the one with square images of "
                          "at most 4 channels and refuses if both or none are."),
          declare::optional(declare::reals(
              "range", std::nullopt, Range{},
              "Smallest and largest value of a pixel; they become -1 and 1. Absent: [0, 255] for "
              "uint8; float32 needs it.")),
          declare::optional(declare::integer(
              "size", std::nullopt, declare::closed(1, 4096),
              "Side of the images after averaging over areas, in pixels; divides their own side. "
              "Absent: their own side."))};
}

ArrayImages array_images(FileArray array, const Options& options) {
  ArrayImages images;
  images.array = std::move(array);
  read_range(images, options);
  read_layout(images, options.text("layout"));
  images.size = options.has("size") ? options.integer("size") : images.side;
  if (images.side % images.size != 0)
    throw options.error(
        "size", "data.layout",
        fmt::format("{}: images of {} × {} cannot be averaged to size {}", images.array.name,
                    images.side, images.side, images.size),
        fmt::format("a size that divides {}, or none for their own size", images.side));
  return images;
}

Tensor ArrayImages::rows(std::span<const int64_t> ids) const {
  std::vector<int64_t> shape = array.shape;
  shape[0] = static_cast<int64_t>(ids.size());
  Tensor raw = torch::empty(shape, array.dtype == "uint8" ? torch::kUInt8 : torch::kFloat32);
  const size_t each = array.data.size() / static_cast<size_t>(array.count());
  auto* to = static_cast<uint8_t*>(raw.data_ptr());
  for (const int64_t id : ids) {
    std::memcpy(to, array.data.data() + static_cast<size_t>(id) * each, each);
    to += each;
  }
  Tensor images = raw.to(torch::kFloat32);
  if (images.dim() == 3) images = images.unsqueeze(1);
  if (channels_last) images = images.permute({0, 3, 1, 2}).contiguous();
  images.sub_(low).div_((high - low) / 2).sub_(1);
  return size == side ? images : area_means(images, size);
}

void check_values(const ArrayImages& images) {
  const FileArray& array = images.array;
  const bool bytes = array.dtype == "uint8";
  if (bytes && images.low <= 0 && images.high >= 255) return;
  const size_t width = item_size(array.dtype), pixels = array.data.size() / width;
  const auto pixel = [&](size_t i) -> float {
    if (bytes) return array.data[i];
    float value = 0;
    std::memcpy(&value, array.data.data() + i * width, width);
    return value;
  };
  const double slack = 1e-4 * (images.high - images.low);  // rounding of whatever made the values
  size_t first = pixels;
  float low = std::numeric_limits<float>::infinity(), high = -low;
  for (size_t i = 0; i < pixels; ++i) {
    const float value = pixel(i);
    // Written so that NaN is outside.
    const bool inside = value >= images.low - slack && value <= images.high + slack;
    if (!inside && first == pixels) first = i;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (first == pixels) return;
  const size_t each = pixels / static_cast<size_t>(array.count());
  const std::string what =
      fmt::format("{}: example {} has the value {}", array.name, first / each, pixel(first));
  if (!std::isfinite(pixel(first)))
    throw Error("data.value", what, "remove the example, or np.nan_to_num(a) before saving");
  throw Error(
      "data.value", fmt::format("{}, outside range = [{}, {}]", what, images.low, images.high),
      fmt::format("the values of this file span {} … {}: set `range` to what a pixel can be", low,
                  high));
}

}  // namespace assay
