// Places where books begin.
#include "assay/data/factors/books.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "assay/core/error.h"

namespace assay {

Books::Books(const std::vector<TextFile>& files, const std::vector<std::string>& starts)
    : begins_(files.size(), {0}) {
  for (const std::string& start : starts) {
    int64_t places = 0;
    for (size_t f = 0; f < files.size(); ++f) {
      const std::string_view text(reinterpret_cast<const char*>(files[f].bytes.data()),
                                  files[f].bytes.size());
      for (size_t at = text.find(start); at != text.npos; at = text.find(start, at + 1)) {
        ++places;
        begins_[f].push_back(at);
      }
    }
    if (start.empty() || places != 1)
      throw Error("data.book",
                  fmt::format("the start \"{}\" of a book stands in {} places, not one", start,
                              start.empty() ? 0 : places),
                  "give each of `book_starts` as many words as tell it from all other text");
  }
  for (std::vector<size_t>& begins : begins_) {
    std::sort(begins.begin(), begins.end());
    begins.erase(std::unique(begins.begin(), begins.end()), begins.end());
  }
}

int64_t Books::of(size_t file, size_t begin, size_t end) const {
  int64_t before = 0;
  for (size_t f = 0; f < file; ++f) before += static_cast<int64_t>(begins_[f].size());
  const std::vector<size_t>& begins = begins_[file];
  const auto index_of = [&](size_t at) {
    return std::upper_bound(begins.begin(), begins.end(), at) - begins.begin() - 1;
  };
  return index_of(begin) == index_of(end - 1) ? before + index_of(begin) : -1;
}

std::string Books::text() const {
  std::string out;
  for (const auto& begins : begins_) out += fmt::format("{}\n", fmt::join(begins, " "));
  return out;
}

int64_t Books::count() const {
  int64_t all = 0;
  for (const auto& begins : begins_) all += static_cast<int64_t>(begins.size());
  return all;
}

}  // namespace assay
