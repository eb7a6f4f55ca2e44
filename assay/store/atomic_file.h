// Writes a file beside its target and renames it when it is whole; shared by everything that
// writes.
#pragma once

#include <filesystem>
#include <string_view>

namespace assay {

/// The bytes go to `.<name>.tmp` beside the target. The name is fixed, so that what a killed
/// process leaves behind is overwritten by the next attempt and never adds a file to a finished
/// folder.
class AtomicFile {
 public:
  /// Throws Error environment.disk_full, store.write.
  explicit AtomicFile(const std::filesystem::path& target);
  ~AtomicFile();  // without commit(): removes the temporary file
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  /// Syncs, renames, syncs the folder.
  void commit();

 private:
  std::filesystem::path target_, temporary_;
  int descriptor_ = -1;
};

/// Writes everything or throws. Returns only when all bytes are handed to the system.
void write_fully(int descriptor, std::string_view bytes, const std::filesystem::path& path);

/// Syncs a folder, so that a rename or a new file in it survives a power cut.
void sync_folder(const std::filesystem::path& folder);

/// Throws the Error that `error` (an errno) of writing `path` stands for: environment.disk_full
/// when there is no room (ENOSPC, EDQUOT, EFBIG), store.write otherwise.
[[noreturn]] void throw_write_error(const std::filesystem::path& path, int error);

}  // namespace assay
