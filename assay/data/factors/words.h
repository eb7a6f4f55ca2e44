// Words in UTF-8 text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace assay {

struct WordPlace {
  size_t begin = 0, end = 0;  // bytes [begin, end)
};

/// The first word that begins at or after `from`. A word is a run of letters, in which single
/// apostrophes (' or ’) may stand: don’t is one word, ’tis is tis. Letters: A-Z, a-z, and what
/// begins with bytes C3 … F4 except E2 (U+2000-2FFF: punctuation and symbols).
std::optional<WordPlace> next_word(std::span<const uint8_t> text, size_t from);

/// Its letters with A-Z lowered and ’ as '.
std::string lowered(std::span<const uint8_t> text, WordPlace word);

}  // namespace assay
