#include "assay/core/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace assay {

void in_parallel(int64_t threads, int64_t count, const std::function<void(int64_t)>& task) {
  std::atomic<int64_t> next{0};
  std::exception_ptr failure;
  int64_t failed = count;
  std::mutex mutex;
  const auto work = [&] {
    for (int64_t i = next++; i < count; i = next++) try {
        task(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < failed) {
          failed = i;
          failure = std::current_exception();
        }
        next = count;
      }
  };
  {
    std::vector<std::jthread> others;
    for (int64_t t = 1; t < std::min(threads, count); ++t) others.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

int64_t hardware_threads() { return std::max(1u, std::thread::hardware_concurrency()); }

}  // namespace assay
