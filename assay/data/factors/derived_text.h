// Derived factors of text windows: the book, the word that follows, and what a window looks like.
#pragma once

#include <memory>
#include <optional>

#include "assay/data/dataset.h"
#include "assay/data/factors/books.h"
#include "assay/data/factors/quantile_bins.h"
#include "assay/data/factors/word_classes.h"

namespace assay {

/// `derived`, `derived_bins` and `book_starts`.
std::vector<Option> derived_text_options();

/// The factors that `derived` names, in its order. The number of books is not known before the
/// files are open: 0. Throws Error config.choice, config.duplicate.
std::vector<Factor> derived_text_factors(const Options& options);

/// Bytes [begin, begin + length] of a file: `length` of them are read by a model, and one more is
/// the last that it predicts.
struct TextWindow {
  size_t file = 0;  // in TextFactors' list
  size_t begin = 0, length = 0;
};

/// Fitted on training windows, then frozen. The files must stay mapped.
class TextFactors {
 public:
  /// files: of both splits, those of training first. windows: of training; the fit is theirs alone.
  /// Throws Error data.factor, data.book.
  TextFactors(const Options& options, std::vector<TextFile> files,
              const std::vector<TextWindow>& windows);

  /// One label per factor, −1 = unknown.
  void label(const TextWindow& window, int64_t* to) const;
  int64_t cardinality(size_t factor) const;
  size_t count() const { return names_.size(); }
  /// Of everything that was fitted.
  std::string hash() const;

 private:
  /// The number behind a binned factor.
  double number(const std::string& name, const TextWindow& window) const;
  std::optional<std::string> following_word(const TextWindow& window) const;

  std::vector<std::string> names_;
  int64_t bins_;
  std::vector<TextFile> files_;
  std::optional<Books> books_;
  std::optional<FrequencyClasses> frequency_;
  std::map<std::string, QuantileBins> edges_;
};

}  // namespace assay
