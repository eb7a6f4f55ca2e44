// The allocator's habits, for programs that train.
#pragma once

namespace assay {

/// Freed memory stays with the process instead of going back to the system. A training step frees
/// and asks again for the same large blocks: with glibc's defaults every step of a width-128 model
/// faults 40 MB in again, 7% of its time. Call once, before the first large allocation; without
/// glibc it does nothing. Costs what the largest step needs, for as long as the process lives.
void keep_freed_memory();

}  // namespace assay
