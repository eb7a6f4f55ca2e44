// A loop over independent tasks on several threads.
#pragma once

#include <cstdint>
#include <functional>

namespace assay {

/// Runs task(0) … task(count − 1), each once, on at most `threads` threads of which the caller is
/// one. After an exception no task is begun any more; when all have ended, that of the lowest task
/// is thrown again, so that what is thrown does not depend on timing.
void in_parallel(int64_t threads, int64_t count, const std::function<void(int64_t)>& task);

/// Processors of this machine, at least one.
int64_t hardware_threads();

}  // namespace assay
