// Ends of workers and what they mean; worker processes as such.
#include "assay/schedule/verdict.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "../store/temporary_folder.h"
#include "assay/store/files.h"

namespace assay {
namespace {

Verdict verdict(const TemporaryFolder& folder, ProcessEnd end) {
  return judge(folder.path, end).verdict;
}

TEST(Verdict, EachEndHasItsMeaning) {
  const TemporaryFolder folder;
  EXPECT_EQ(verdict(folder, {false, 0}), Verdict::crashed) << "no outcome: it did not end";
  EXPECT_EQ(verdict(folder, {false, 143}), Verdict::stopped);
  EXPECT_EQ(verdict(folder, {false, 130}), Verdict::stopped);
  EXPECT_EQ(verdict(folder, {true, SIGTERM}), Verdict::stopped);
  EXPECT_EQ(verdict(folder, {true, SIGKILL}), Verdict::killed);
  EXPECT_EQ(verdict(folder, {true, SIGSEGV}), Verdict::crashed);
  EXPECT_EQ(verdict(folder, {false, 1}), Verdict::crashed);
  EXPECT_EQ(verdict(folder, {false, 5}), Verdict::environment);
  write_atomically(
      folder.path / "log.txt",
      "a word\n{\"error\":{\"code\":\"environment.locked\",\"message\":\"in use\"}}\n");
  EXPECT_EQ(verdict(folder, {false, 5}), Verdict::locked);
  EXPECT_EQ(judge(folder.path, {false, 1}).reason, "in use");
  write_atomically(folder.path / "log.txt", "terminate called\n");
  EXPECT_EQ(judge(folder.path, {true, SIGABRT}).reason,
            "killed by SIGABRT; last words: terminate called");
  write_atomically(folder.path / "outcome.json", "{}");
  EXPECT_EQ(verdict(folder, {true, SIGSEGV}), Verdict::ended) << "an outcome outweighs the exit";
}

ProcessEnd wait_for(WorkerProcess& process) {
  for (int i = 0; i < 1000; ++i) {
    if (const auto end = process.poll()) return *end;
    ::usleep(10'000);
  }
  return {true, 0};
}

TEST(WorkerProcess, WritesItsLogAnewWithOneThread) {
  const TemporaryFolder folder;
  const auto log = folder.path / "log.txt";
  write_atomically(log, "of the process before");
  WorkerProcess process(
      "/bin/sh", {"-c", "echo $OMP_NUM_THREADS $MKL_NUM_THREADS; echo words >&2; exit 3"}, log);
  EXPECT_EQ(wait_for(process), (ProcessEnd{false, 3}));
  EXPECT_EQ(read_file(log), "1 1\nwords\n");
}

TEST(WorkerProcess, TellsSignalsAndMissingPrograms) {
  const TemporaryFolder folder;
  const auto log = folder.path / "log.txt";
  WorkerProcess sleeper("/bin/sleep", {"20"}, log);
  EXPECT_FALSE(sleeper.poll());
  sleeper.send(SIGTERM);
  EXPECT_EQ(wait_for(sleeper), (ProcessEnd{true, SIGTERM}));
  WorkerProcess missing("/nowhere/worker", {}, log);
  EXPECT_EQ(wait_for(missing), (ProcessEnd{false, 127}));
  EXPECT_EQ(read_file(log), "the worker could not be started\n");
}

TEST(WorkerProcess, CaptureReturnsAllOutput) {
  const Captured captured = capture("/bin/sh", {"-c", "seq 100000; exit 2"});
  EXPECT_EQ(captured.output.size(), 588895U);
  EXPECT_EQ(captured.end, (ProcessEnd{false, 2}));
}

}  // namespace
}  // namespace assay
