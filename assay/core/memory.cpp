// The allocator's habits, for programs that train.
#include "assay/core/memory.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace assay {

void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kLargest = 128 << 20;  // bytes: blocks below come from the heap, not from mmap
  constexpr int kOldLimit = 32 << 20;  // what glibc before 2.35 accepts at most
  if (mallopt(M_MMAP_THRESHOLD, kLargest) == 0) mallopt(M_MMAP_THRESHOLD, kOldLimit);
  mallopt(M_TRIM_THRESHOLD, kLargest);
#endif
}

}  // namespace assay
