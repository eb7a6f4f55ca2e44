// Which book a place of a text belongs to.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace assay {

/// A text file that is mapped into memory.
struct TextFile {
  std::string path;
  std::span<const uint8_t> bytes;
};

/// A book begins with each file and with each of `starts`. Books are numbered in order, those of
/// the training files first: one numbering for both splits, in which no book stands twice.
class Books {
 public:
  /// files: of both splits. Throws Error data.book for a start that no file or more than one place
  /// has.
  Books(const std::vector<TextFile>& files, const std::vector<std::string>& starts);

  /// Of bytes [begin, end) of file `file`; −1 if they belong to two books.
  int64_t of(size_t file, size_t begin, size_t end) const;
  int64_t count() const;
  /// Where books begin, file by file: what a hash needs to know.
  std::string text() const;

 private:
  std::vector<std::vector<size_t>> begins_;  // by file, rising, the first 0
};

}  // namespace assay
