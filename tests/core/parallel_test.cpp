#include "assay/core/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

namespace assay {
namespace {

TEST(InParallel, EveryTaskRunsOnceOnAnyNumberOfThreads) {
  for (const int64_t threads : {1, 2, 7}) {
    std::vector<std::atomic<int>> runs(1000);
    in_parallel(threads, 1000, [&](int64_t i) { ++runs[static_cast<size_t>(i)]; });
    for (const auto& count : runs) EXPECT_EQ(count, 1);
  }
  in_parallel(4, 0, [](int64_t) { FAIL() << "there is no task"; });
}

TEST(InParallel, TheLowestFailureIsThrownAndTheRestIsLeftOut) {
  std::atomic<int> later{0};
  const auto task = [&](int64_t i) {
    if (i == 3 || i == 4) throw std::runtime_error(std::to_string(i));
    later += i > 100;
  };
  for (int round = 0; round < 20; ++round) {
    try {
      in_parallel(4, 1'000'000, task);
      FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "3");
    }
  }
  EXPECT_LT(later, 20 * 1'000'000 / 2);
}

}  // namespace
}  // namespace assay
