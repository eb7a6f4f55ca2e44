// From windows to labels.
#include "assay/tensor/torch.h"

#include "assay/data/factors/derived_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <string_view>

#include "assay/core/hash.h"
#include "assay/data/factors/derived_options.h"
#include "assay/data/factors/words.h"

namespace assay {
namespace {

constexpr const char* kVersion = "derived-text-1";  // raise it when a label changes
constexpr size_t kLookAhead = 64;  // bytes after a window in which the next word must begin

constexpr DerivedChoice kChoices[] = {
    {"book", "content", "which book the window is from"},
    {"next-class", "content",
     "the first word that begins after the window: content word, determiner, pronoun, preposition, "
     "conjunction or auxiliary, by a closed English list"},
    {"next-frequency", "content",
     "the same word's frequency: classes of equal share in training, the most frequent first"},
    {"word-length", "content", "mean letters of the window's words, in bytes"},
    {"sentence", "position", "bytes between the last . ! ? of the window and its end"},
};

}  // namespace

std::vector<Option> derived_text_options() {
  std::vector<Option> out = derived_options(kChoices);
  out.push_back(declare::optional(declare::texts(
      "book_starts", std::nullopt,
      "Where several books share a file: the words that each but the first begins with, found once "
      "in all files of both splits. Read only if `derived` names `book`. Absent: a file is a "
      "book.")));
  return out;
}

std::vector<Factor> derived_text_factors(const Options& options) {
  std::vector<Factor> factors;
  for (const std::string& name : derived_names(options, kChoices)) {
    const int64_t cardinality = name == "book"         ? 0
                                : name == "next-class" ? kFunctionClasses
                                                       : derived_bins(options);
    factors.push_back({name, cardinality, 0, name == "sentence" ? "position" : "content"});
  }
  return factors;
}

TextFactors::TextFactors(const Options& options, std::vector<TextFile> files,
                         const std::vector<TextWindow>& windows)
    : names_(derived_names(options, kChoices)),
      bins_(derived_bins(options)),
      files_(std::move(files)) {
  for (const std::string& name : names_) {
    if (name == "book") {
      books_.emplace(files_, options.has("book_starts") ? options.texts("book_starts")
                                                        : std::vector<std::string>());
    } else if (name == "next-frequency") {
      std::vector<std::string> words;
      for (const TextWindow& window : windows)
        if (auto word = following_word(window)) words.push_back(std::move(*word));
      if (words.empty())
        throw Error("data.factor", "no word follows any training window, so none is frequent",
                    "leave `next-frequency` out of `derived`");
      frequency_.emplace(words, bins_);
    } else if (name != "next-class") {
      std::vector<double> numbers;
      for (const TextWindow& window : windows) numbers.push_back(number(name, window));
      edges_.emplace(name, QuantileBins(std::move(numbers), bins_, name));
    }
  }
}

double TextFactors::number(const std::string& name, const TextWindow& window) const {
  const auto text = files_[window.file].bytes.first(window.begin + window.length);
  if (name == "sentence") {
    size_t at = text.size();
    while (at > window.begin &&
           std::string_view(".!?").find(static_cast<char>(text[at - 1])) == std::string_view::npos)
      --at;
    return static_cast<double>(text.size() - at);
  }
  // Words that are cut by either border are left out.
  double letters = 0, words = 0;
  for (auto word = next_word(text, window.begin); word && word->end < text.size();
       word = next_word(text, word->end)) {
    letters += static_cast<double>(word->end - word->begin);
    ++words;
  }
  return words > 0 ? letters / words : NAN;
}

/// Begins after the last byte that is predicted: no feature of the window has seen a letter of it.
std::optional<std::string> TextFactors::following_word(const TextWindow& window) const {
  const auto text = files_[window.file].bytes;
  const size_t after = window.begin + window.length + 1;
  const auto word = next_word(text, after);
  if (!word || word->begin > after + kLookAhead) return std::nullopt;
  return lowered(text, *word);
}

void TextFactors::label(const TextWindow& window, int64_t* to) const {
  for (const std::string& name : names_) {
    int64_t& label = *to++;
    if (name == "book") {
      label = books_->of(window.file, window.begin, window.begin + window.length + 1);
    } else if (name == "next-class" || name == "next-frequency") {
      const auto word = following_word(window);
      label = !word ? -1 : name == "next-class" ? function_class(*word) : frequency_->of(*word);
    } else {
      label = edges_.at(name).of(number(name, window));
    }
  }
}

int64_t TextFactors::cardinality(size_t factor) const {
  const std::string& name = names_[factor];
  if (name == "book") return books_->count();
  return name == "next-class" ? kFunctionClasses : bins_;
}

std::string TextFactors::hash() const {
  std::string all = fmt::format("{}\n{}\n{}\n", kVersion, fmt::join(names_, " "), bins_);
  for (const auto& [name, bins] : edges_)
    all += fmt::format("{} {}\n", name, fmt::join(bins.edges(), " "));
  if (frequency_) all += frequency_->text();
  if (books_) all += books_->text();
  return hash_text(all);
}

}  // namespace assay
