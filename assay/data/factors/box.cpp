// Boxes after the crop.
#include "assay/data/factors/box.h"

#include <algorithm>

namespace assay {

std::optional<BoxPlace> place_in_square(const ObjectBox& box, int64_t width, int64_t height) {
  const int64_t side = std::min(width, height);  // the crop of area_average()
  const auto length = static_cast<double>(side);
  const auto inside = [&](double edge, int64_t margin) {
    return std::clamp((edge - static_cast<double>(margin / 2)) / length, 0.0, 1.0);
  };
  const double left = inside(box.left, width - side), right = inside(box.right + 1, width - side);
  const double top = inside(box.top, height - side), bottom = inside(box.bottom + 1, height - side);
  if (right <= left || bottom <= top) return std::nullopt;
  return BoxPlace{left + right - 1, top + bottom - 1, (right - left) * (bottom - top)};
}

std::span<const BoxStatistic> box_statistics() {
  static constexpr BoxStatistic table[] = {
      {"box-x", "position", "horizontal centre of the object's box",
       [](const BoxPlace& place) { return place.x; }},
      {"box-y", "position", "vertical centre of the object's box",
       [](const BoxPlace& place) { return place.y; }},
      {"box-size", "content", "share of the image inside the object's box",
       [](const BoxPlace& place) { return place.area; }},
  };
  return table;
}

}  // namespace assay
