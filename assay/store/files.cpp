// Atomic writes, whole reads, and the lock of a folder.
#include "assay/store/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "assay/core/error.h"
#include "assay/store/atomic_file.h"

namespace assay {
namespace fs = std::filesystem;
namespace {

// What `.lock` says while it is held: "host pid\n".
std::string read_holder(int descriptor) {
  std::array<char, 512> text{};
  const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
  std::string holder(text.data(), size > 0 ? static_cast<size_t>(size) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder;
}

std::string holder_text() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{} {}\n", host.data(), ::getpid());
}

// A reader that asks lock_holder() holds the lock for an instant: try for a tenth of a second.
bool lock_exclusively(int descriptor) {
  for (int attempt = 0; attempt < 10; ++attempt) {
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK && errno != EINTR) return false;
    ::usleep(10'000);
  }
  errno = EWOULDBLOCK;
  return false;
}

}  // namespace

void write_atomically(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

std::string read_file(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  int error = errno;
  std::string bytes;
  if (descriptor >= 0) {
    error = 0;
    std::error_code ignored;
    const auto size = fs::file_size(path, ignored);
    if (!ignored) bytes.reserve(size);
    std::array<char, 1 << 16> block;
    ssize_t count = 0;
    while ((count = ::read(descriptor, block.data(), block.size())) != 0) {
      if (count > 0) {
        bytes.append(block.data(), static_cast<size_t>(count));
      } else if (errno != EINTR) {
        error = errno;
        break;
      }
    }
    ::close(descriptor);
  }
  if (error) {
    throw Error("store.read", fmt::format("cannot read {}: {}", path.string(), strerror(error)),
                error == ENOENT ? "check the path" : "");
  }
  return bytes;
}

FolderLock::FolderLock(const fs::path& folder) {
  const fs::path path = folder / ".lock";
  // O_CLOEXEC: a worker that inherited the descriptor would hold the lock after its parent died.
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw_write_error(path, errno);
  if (!lock_exclusively(descriptor_)) {
    const int error = errno;
    const std::string holder = read_holder(descriptor_);
    ::close(std::exchange(descriptor_, -1));
    if (error != EWOULDBLOCK) {
      throw Error("store.lock", fmt::format("cannot lock {}: {}", path.string(), strerror(error)),
                  "this file system may not support flock; use a local folder");
    }
    const size_t space = holder.rfind(' ');
    const std::string host = holder.substr(0, space);
    const std::string process = space == std::string::npos ? "?" : holder.substr(space + 1);
    throw Error("environment.locked",
                fmt::format("{} is in use by another run: host {}, process {}", folder.string(),
                            host.empty() ? "?" : host, process),
                "wait until it ends, or stop it there; the same command then resumes");
  }
  const std::string text = holder_text();
  // Only a courtesy to the second one: the lock itself needs no room on the disk.
  if (::ftruncate(descriptor_, 0) == 0 &&
      ::pwrite(descriptor_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    static_cast<void>(!::ftruncate(descriptor_, 0));
  }
}

FolderLock::~FolderLock() {
  if (descriptor_ < 0) return;
  static_cast<void>(!::ftruncate(descriptor_, 0));
  ::close(descriptor_);
}

std::string lock_holder(const fs::path& folder) {
  const int descriptor = ::open((folder / ".lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return {};
  std::string holder = read_holder(descriptor);
  // A killed process leaves its name behind, but not its lock.
  if (!holder.empty() && ::flock(descriptor, LOCK_SH | LOCK_NB) == 0) holder.clear();
  ::close(descriptor);
  return holder;
}

}  // namespace assay
