// Files that are never seen half-written.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace assay {

/// Writes beside the target, syncs, renames, syncs the folder. After a crash the old file or the
/// new one is there, whole. Throws Error environment.disk_full (ENOSPC, EDQUOT) or store.write; the
/// old file stays.
void write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Throws Error store.read.
std::string read_file(const std::filesystem::path& path);

/// An exclusive flock on `folder`/.lock, released when the process ends however it ends, so a
/// killed run leaves no stale lock. The file names host and process while it is held and is empty
/// after.
class FolderLock {
 public:
  /// Throws Error environment.locked naming the holder's host and process.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// "host pid" of the process that holds the lock of `folder`; empty if none does.
std::string lock_holder(const std::filesystem::path& folder);

}  // namespace assay
