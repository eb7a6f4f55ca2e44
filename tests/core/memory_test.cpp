// Freed memory stays: asking for it again faults nothing in.
#include "assay/core/memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstring>
#include <memory>

namespace assay {
namespace {

long faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

/// Touches 24 blocks of 2 MB, all held at once: about 12,000 pages.
void touch() {
  constexpr size_t kBytes = 2 << 20;
  std::unique_ptr<char[]> blocks[24];
  for (auto& block : blocks) {
    block.reset(new char[kBytes]);
    std::memset(block.get(), 1, kBytes);
  }
}

TEST(Memory, IsNotFaultedInAgain) {
#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "glibc's allocator only";
#endif
  keep_freed_memory();
  touch();
  const long before = faults();
  for (int i = 0; i < 5; ++i) touch();
  EXPECT_LT(faults() - before, 1000);  // 60,000 where each round starts from nothing
}

}  // namespace
}  // namespace assay
