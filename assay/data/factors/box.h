// The box around the object of an image, where a data set ships one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace assay {

/// First and last pixel, both inside, in the picture as it was stored.
struct ObjectBox {
  double left = 0, top = 0, right = 0, bottom = 0;
};

/// A box in the central square that an image is cropped to: centre in −1..1, share of its area.
struct BoxPlace {
  double x = 0, y = 0, area = 0;
};

/// Nothing if no part of the box lies in the square. width, height: of the stored picture.
std::optional<BoxPlace> place_in_square(const ObjectBox& box, int64_t width, int64_t height);

struct BoxStatistic {
  std::string_view name, kind, summary;
  double (*of)(const BoxPlace& place);
};
std::span<const BoxStatistic> box_statistics();

}  // namespace assay
