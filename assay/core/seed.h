// Seeds as values: every stream of random numbers has a name, and no stream can shift another.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace assay {

/// 64-bit key of a stream. Children are XXH3 hashes of the parent and a name or index: the same on
/// every machine and build. `Seed(7).child("draws").child(step)`.
class Seed {
 public:
  constexpr Seed() = default;
  constexpr explicit Seed(uint64_t value) : value_(value) {}

  Seed child(std::string_view name) const;
  Seed child(
      uint64_t index) const;  // never equal to a named child by construction of the hash input

  constexpr uint64_t value() const { return value_; }
  auto operator<=>(const Seed&) const = default;

 private:
  uint64_t value_ = 0;
};

}  // namespace assay
