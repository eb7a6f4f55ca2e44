// From the bytes of a JPEG or PNG file to a small square of RGB.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace assay {

struct Picture {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;  // [height, width, 3]
};

/// Decodes by content, not by name. Grey becomes RGB, transparency is laid over white, 16 bits
/// become
/// 8. Throws Error data.decode with the reason alone (the caller knows file and entry): not an
/// image, damaged, cut short, CMYK, or more than 10⁸ pixels.
Picture decode_image(std::span<const uint8_t> bytes);

/// The central square of the picture, averaged over areas to size × size: output pixel i of a row
/// covers the interval [i, i + 1)·side/size of source pixels, and each source pixel counts by the
/// share of it that is covered (an exact box filter for any ratio). out [3, size, size].
void area_average(const Picture& picture, int size, std::span<uint8_t> out);

}  // namespace assay
