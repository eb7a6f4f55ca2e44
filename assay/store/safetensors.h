// The safetensors format: a length, a JSON header, raw little-endian data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "assay/store/atomic_file.h"

namespace assay {

struct StoredTensor {
  std::string name;
  std::string dtype;           // F32 | F64 | I64 | U8
  std::vector<int64_t> shape;  // empty = a scalar
  std::span<const std::byte> data;
};

/// A file that is written piece by piece, for data that does not fit into memory: the header first,
/// then the tensors' bytes in order. Without commit() nothing is left of it.
class SafetensorsWriter {
 public:
  struct Entry {
    std::string name, dtype;
    std::vector<int64_t> shape;
  };
  /// Throws Error store.tensor for an unknown dtype, an impossible shape or a name used twice;
  /// environment.disk_full, store.write.
  SafetensorsWriter(const std::filesystem::path& path, std::span<const Entry> entries,
                    const std::map<std::string, std::string>& metadata);
  /// The next bytes, of one tensor or of several. Throws Error store.tensor beyond the last.
  void append(std::span<const std::byte> data);
  /// Throws Error store.tensor if bytes are missing.
  void commit();
  uint64_t data_bytes() const { return data_bytes_; }  // of all tensors together

 private:
  AtomicFile file_;
  uint64_t data_bytes_ = 0, written_ = 0;
};

/// Written atomically (files.h), tensors in the given order, metadata under "__metadata__".
void write_safetensors(const std::filesystem::path& path, std::span<const StoredTensor> tensors,
                       const std::map<std::string, std::string>& metadata);

/// The whole file in memory; the tensors point into it. Throws Error store.read, store.corrupt
/// (with the reason: truncated, header not JSON, offsets outside the file, size not dtype × shape).
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  // A copy's tensors would point into the original.
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  const StoredTensor* find(const std::string& name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  std::string bytes_;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// Only the metadata: reads the header, not the data.
std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& path);

}  // namespace assay
