// Where words begin and end.
#include "assay/data/factors/words.h"

#include <algorithm>

namespace assay {
namespace {

/// Bytes of the letter at `at`, 0 if there is none.
size_t letter_at(std::span<const uint8_t> text, size_t at) {
  if (at >= text.size()) return 0;
  const uint8_t byte = text[at];
  if ((byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z')) return 1;
  if (byte < 0xC3 || byte > 0xF4 || byte == 0xE2) return 0;
  return std::min<size_t>(byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4, text.size() - at);
}

size_t apostrophe_at(std::span<const uint8_t> text, size_t at) {
  if (at < text.size() && text[at] == '\'') return 1;
  const bool curly =
      at + 2 < text.size() && text[at] == 0xE2 && text[at + 1] == 0x80 && text[at + 2] == 0x99;
  return curly ? 3 : 0;
}

/// The end of the word that begins at `begin`.
size_t end_of_word(std::span<const uint8_t> text, size_t begin) {
  size_t at = begin;
  while (true) {
    if (const size_t letter = letter_at(text, at)) {
      at += letter;
    } else if (const size_t mark = apostrophe_at(text, at); mark && letter_at(text, at + mark)) {
      at += mark;
    } else {
      return at;
    }
  }
}

constexpr size_t kLongest = 256;  // bytes without a blank: what goes on longer is cut there

/// A place at or before `from` that no word lies across.
size_t before_words(std::span<const uint8_t> text, size_t from) {
  const size_t least = from > kLongest ? from - kLongest : 0;
  while (from > least && text[from - 1] != ' ' && text[from - 1] != '\n') --from;
  return from;
}

}  // namespace

std::optional<WordPlace> next_word(std::span<const uint8_t> text, size_t from) {
  size_t at = before_words(text, std::min(from, text.size()));
  while (at < text.size()) {
    if (letter_at(text, at) == 0) {
      ++at;
      // The rest of a character that is no letter.
      while (at < text.size() && (text[at] & 0xC0) == 0x80) ++at;
      continue;
    }
    const size_t end = end_of_word(text, at);
    if (at >= from) return WordPlace{at, end};
    at = end;
  }
  return std::nullopt;
}

std::string lowered(std::span<const uint8_t> text, WordPlace word) {
  std::string out;
  for (size_t at = word.begin; at < word.end;) {
    if (apostrophe_at(text, at)) {
      out += '\'';
      at += apostrophe_at(text, at);
      continue;
    }
    const uint8_t byte = text[at++];
    out += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
  }
  return out;
}

}  // namespace assay
