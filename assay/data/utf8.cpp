// UTF-8 validation by the ranges of Unicode's table 3-7.
#include "assay/data/utf8.h"

#include <cstring>

namespace assay {
namespace {

/// Length of the well-formed sequence at the start, or 0.
size_t sequence(std::span<const uint8_t> text) {
  const uint8_t first = text[0];
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  const uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (text[1] < low || text[1] > high) return 0;
  for (size_t i = 2; i < length; ++i)
    if ((text[i] & 0xC0) != 0x80) return 0;
  return length;
}

}  // namespace

std::optional<size_t> first_invalid_utf8(std::span<const uint8_t> text, size_t from) {
  size_t at = from;
  while (at < text.size()) {
    uint64_t eight = 0;
    if (at + 8 <= text.size()) {
      std::memcpy(&eight, text.data() + at, 8);
      if ((eight & 0x8080808080808080u) == 0) {  // eight ASCII bytes
        at += 8;
        continue;
      }
    }
    const size_t length = sequence(text.subspan(at));
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

}  // namespace assay
