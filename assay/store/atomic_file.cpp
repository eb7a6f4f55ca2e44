// Temporary file, fsync, rename, fsync of the folder.
#include "assay/store/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "assay/core/error.h"

namespace assay {
namespace fs = std::filesystem;

void throw_write_error(const fs::path& path, int error) {
  const std::string message = fmt::format("cannot write {}: {}", path.string(), strerror(error));
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    throw Error("environment.disk_full", message,
                "make room and give the same command again: it resumes, complete files are kept");
  }
  throw Error("store.write", message, "check that the folder exists and that you may write there");
}

void write_fully(int descriptor, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw_write_error(path, errno);
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void sync_folder(const fs::path& folder) {
  const fs::path path = folder.empty() ? fs::path(".") : folder;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw_write_error(path, errno);
  const int failed = ::fsync(descriptor) < 0 ? errno : 0;
  ::close(descriptor);
  // Some network and FUSE file systems cannot sync a folder; the rename itself is still atomic.
  if (failed && failed != EINVAL && failed != ENOTSUP) throw_write_error(path, failed);
}

AtomicFile::AtomicFile(const fs::path& target)
    : target_(target),
      temporary_(target.parent_path() / fmt::format(".{}.tmp", target.filename().string())) {
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw_write_error(target_, errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) { write_fully(descriptor_, bytes, target_); }

void AtomicFile::commit() {
  if (::fsync(descriptor_) < 0) throw_write_error(target_, errno);
  // Delayed allocation reports a full disk here at the latest (NFS).
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) < 0 || ::rename(temporary_.c_str(), target_.c_str()) < 0) {
    const int error = errno;
    ::unlink(temporary_.c_str());
    throw_write_error(target_, error);
  }
  sync_folder(target_.parent_path());
}

}  // namespace assay
