#include "assay/core/seed.h"

#include <fmt/format.h>

#include "assay/core/hash.h"

namespace assay {

Seed Seed::child(std::string_view name) const {
  return Seed(hash64(fmt::format("n{}", name), value_));
}

Seed Seed::child(uint64_t index) const {
  char bytes[9] = {'i'};
  for (int i = 0; i < 8; ++i) bytes[i + 1] = static_cast<char>(index >> (8 * i));
  return Seed(hash64(std::string_view(bytes, sizeof bytes), value_));
}

}  // namespace assay
