// Shape checks at the borders between parts.
#include "assay/tensor/shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "assay/core/error.h"

namespace assay {

namespace {

std::string sizes_text(const int64_t* sizes, size_t count) {
  std::vector<std::string> words;
  for (size_t i = 0; i < count; ++i)
    words.push_back(sizes[i] == kAny ? "any" : fmt::format("{}", sizes[i]));
  return fmt::format("[{}]", fmt::join(words, ", "));
}

}  // namespace

void check_shape(const Tensor& tensor, std::initializer_list<int64_t> expected,
                 const std::string& what) {
  const std::string wanted = sizes_text(expected.begin(), expected.size());
  if (!tensor.defined())
    throw Error("tensor.shape", fmt::format("{} is missing, must be {}", what, wanted));
  const auto sizes = tensor.sizes();
  bool fits = sizes.size() == expected.size();
  for (size_t i = 0; fits && i < expected.size(); ++i) {
    const int64_t size = expected.begin()[i];
    fits = size == kAny || size == sizes[i];
  }
  if (!fits)
    throw Error("tensor.shape", fmt::format("{} is {}, must be {}", what,
                                            sizes_text(sizes.data(), sizes.size()), wanted));
}

}  // namespace assay
