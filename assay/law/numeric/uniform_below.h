// Random indices that are the same with every standard library.
#pragma once

#include <cstdint>
#include <random>

namespace assay {

/// A whole number from 0 to bound − 1, by Lemire's multiplication; its bias is below bound/2^64.
inline int64_t uniform_below(std::mt19937_64& engine, int64_t bound) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<int64_t>((static_cast<Wide>(engine()) * static_cast<Wide>(bound)) >> 64);
}

}  // namespace assay
