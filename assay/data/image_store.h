// Decoded images: made once, kept on disk, mapped by every process that needs them.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/data/files.h"
#include "assay/data/sample.h"

namespace assay {

/// uint8 images [count, 3, size, size] and what was learned while they were made.
struct DecodedImages {
  int64_t count = 0;
  int size = 0;
  std::vector<int32_t> labels;  // [count], -1 = none
  int64_t skipped = 0;
  std::vector<std::string> notes;
  std::vector<uint8_t> owned;        // the pixels, or
  std::optional<MappedFile> mapped;  // the file that holds them
  const uint8_t* pixels = nullptr;   // in either

  size_t image_bytes() const {
    return size_t{3} * static_cast<size_t>(size) * static_cast<size_t>(size);
  }
};

/// One encoded image, box-filtered. out [3, size, size]. Throws Error data.decode "NAME: reason".
void decode_named(std::span<const uint8_t> bytes, const std::string& name, int size,
                  std::span<uint8_t> out);

/// Reads and decodes one sample. out [3, size, size]. Called from several threads. Throws Error
/// data.* with file and entry.
using DecodeSample = std::function<void(const Sample&, int size, std::span<uint8_t> out)>;

/// Decodes all on up to four threads. Samples that fail are reported in order; those that do not
/// stop it are removed from `samples`. keep = false only checks: `owned` stays empty.
DecodedImages decode_all(const DecodeSample& decode, std::vector<Sample>& samples, int size,
                         Faults& faults, bool keep = true);

/// A cache file, or nothing if there is none or it is not whole.
std::optional<DecodedImages> load_decoded(const std::string& path);
/// Written beside, synced and renamed. Throws Error environment.cache.
void save_decoded(const std::string& path, const DecodedImages& images);

/// Held while decoding, so that of many workers that start together one decodes and the others
/// wait. Does nothing if the lock file cannot be made. Released with the process.
class CacheLock {
 public:
  explicit CacheLock(const std::string& path);
  ~CacheLock();
  CacheLock(const CacheLock&) = delete;
  CacheLock& operator=(const CacheLock&) = delete;

 private:
  int file_;
};

/// "auto" = $XDG_CACHE_HOME/assay, or ~/.cache/assay, or none without a home; "" = none.
std::string cache_folder(const std::string& option);

}  // namespace assay
