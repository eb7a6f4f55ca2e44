// Where a text stops being UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace assay {

/// Offset of the first byte at or after `from` that does not belong to well-formed UTF-8 (Unicode
/// 15, table 3-7: no overlong forms, no surrogates, at most U+10FFFF), or nothing.
std::optional<size_t> first_invalid_utf8(std::span<const uint8_t> text, size_t from = 0);

}  // namespace assay
