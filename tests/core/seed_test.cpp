// Seeds: streams do not collide, and their values are the same on every build.
#include "assay/core/seed.h"

#include <gtest/gtest.h>

#include <set>

#include "assay/core/hash.h"

namespace assay {
namespace {

TEST(Seed, ChildrenDifferByNameIndexAndParent) {
  std::set<uint64_t> seen;
  for (uint64_t parent = 0; parent < 4; ++parent) {
    const Seed seed(parent);
    for (const char* name : {"", "n", "i", "draws", "order", "meters"})
      EXPECT_TRUE(seen.insert(seed.child(name).value()).second);
    for (uint64_t index = 0; index < 1000; ++index)
      EXPECT_TRUE(seen.insert(seed.child(index).value()).second);
  }
}

TEST(Seed, ANameOfEightBytesIsNotAnIndex) {
  // "i" + 8 bytes is the hash input of an index; names are prefixed with "n".
  EXPECT_NE(Seed(1).child(std::string_view("\x05\0\0\0\0\0\0\0", 8)).value(),
            Seed(1).child(uint64_t{5}).value());
}

// Written down from XXH3 0.8.1: a change would silently change every stored study.
TEST(Seed, ValuesAreFrozen) {
  EXPECT_EQ(hash_text(""), "2d06800538d394c2");  // XXH3_64bits of nothing, from its specification
  EXPECT_EQ(Seed(7).child("draws").child(uint64_t{3}).value(),
            Seed(hash64(std::string_view("i\x03\0\0\0\0\0\0\0", 9), hash64("ndraws", 7))).value());
}

}  // namespace
}  // namespace assay
