// Atomic writes under faults, and the folder lock between processes.
#include "assay/store/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "assay/core/error.h"
#include "temporary_folder.h"

namespace {

// Where a child of the tests dies; the C library's calls are replaced for this executable.
enum class Fault { none, before_fsync, before_rename, after_rename };
Fault fault = Fault::none;

}  // namespace

extern "C" int fsync(int descriptor) {
  if (fault == Fault::before_fsync) ::_exit(42);
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}
extern "C" int rename(const char* from, const char* to) noexcept {
  if (fault == Fault::before_rename) ::_exit(42);
  const auto result = static_cast<int>(::syscall(SYS_rename, from, to));
  if (fault == Fault::after_rename) ::_exit(42);
  return result;
}

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Runs `body` in a child process; its exit status, or minus the signal.
template <typename Body>
int in_child(Body body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(Files, WritesAndReadsBytes) {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\n", 4);
  write_atomically(folder.path / "x", bytes);
  EXPECT_EQ(read_file(folder.path / "x"), bytes);
  write_atomically(folder.path / "x", "");
  EXPECT_EQ(read_file(folder.path / "x"), "");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});
}

TEST(Files, DeathAtAnyPointLeavesTheOldOrTheNewFileWhole) {
  for (const Fault point : {Fault::before_fsync, Fault::before_rename, Fault::after_rename}) {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "state.json";
    write_atomically(path, "old");
    ASSERT_EQ(in_child([&] {
                fault = point;
                write_atomically(path, "new and longer");
              }),
              42);
    EXPECT_EQ(read_file(path), point == Fault::after_rename ? "new and longer" : "old");
    write_atomically(path, "final");
    EXPECT_EQ(read_file(path), "final");
    EXPECT_EQ(folder.names(), std::vector<std::string>{"state.json"}) << "left-overs stay";
  }
}

TEST(Files, NoRoomIsSaidAndTheOldFileStays) {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "state.json";
  write_atomically(path, "old");
  const int status = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_atomically(path, std::string(5000, 'x'));
    } catch (const Error& error) {
      const bool right = error.code() == "environment.disk_full" &&
                         error.exit_code() == ExitCode::environment &&
                         std::string(error.what()).find("state.json") != std::string::npos;
      ::_exit(right ? 7 : 8);
    }
  });
  EXPECT_EQ(status, 7);
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"state.json"});
}

TEST(Files, MissingPlacesAreErrors) {
  try {
    read_file("/nowhere/x");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "store.read");
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/x"));
  }
  try {
    write_atomically("/nowhere/x", "a");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "store.write");
  }
}

TEST(FolderLock, IsHeldOnceAndNamesTheHolder) {
  const TemporaryFolder folder;
  {
    const FolderLock lock(folder.path);
    EXPECT_THAT(lock_holder(folder.path), HasSubstr(std::to_string(::getpid())));
    const std::string parent = std::to_string(::getpid());
    EXPECT_EQ(in_child([&] {
                try {
                  const FolderLock second(folder.path);
                } catch (const Error& error) {
                  std::array<char, 256> host{};
                  ::gethostname(host.data(), host.size());
                  const std::string text = error.what();
                  ::_exit(error.code() == "environment.locked" &&
                                  text.find(parent) != std::string::npos &&
                                  text.find(host.data()) != std::string::npos
                              ? 7
                              : 8);
                }
              }),
              7);
  }
  EXPECT_EQ(lock_holder(folder.path), "");
  EXPECT_EQ(read_file(folder.path / ".lock"), "");
  const FolderLock again(folder.path);
}

TEST(FolderLock, IsFreeAfterItsHolderIsKilled) {
  const TemporaryFolder folder;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    const FolderLock lock(folder.path);
    static_cast<void>(!::write(ends[1], "x", 1));
    ::pause();
  }
  char ready = 0;
  ASSERT_EQ(::read(ends[0], &ready, 1), 1);
  EXPECT_THAT(lock_holder(folder.path), HasSubstr(std::to_string(holder)));
  EXPECT_THROW(FolderLock{folder.path}, Error);
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  EXPECT_EQ(lock_holder(folder.path), "") << "its name is still in the file, its lock is not";
  const FolderLock lock(folder.path);
}

TEST(FolderLock, IsNotInheritedByAProgramThatTheHolderStarts) {
  const TemporaryFolder folder;
  auto lock = std::make_unique<FolderLock>(folder.path);
  const pid_t sleeper = ::fork();
  if (sleeper == 0) {
    ::execlp("sleep", "sleep", "20", nullptr);
    ::_exit(1);
  }
  ::usleep(200'000);  // until it has become `sleep`
  lock.reset();
  EXPECT_NO_THROW(FolderLock{folder.path});
  ::kill(sleeper, SIGKILL);
  ::waitpid(sleeper, nullptr, 0);
}

}  // namespace
}  // namespace assay
