// Input files: patterns to paths, and files mapped into memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assay/core/options.h"
#include "assay/data/faults.h"

namespace assay {

/// An option that is one path or a list, each possibly a pattern (*, ?, [abc], {a,b}).
Option paths_option(const std::string& name, const std::string& help);

/// The files of such an option, sorted within each pattern, none twice. Relative ones start from
/// `base`. Throws Error config.missing_key, config.type; reports data.missing_file for a pattern
/// that matches nothing.
std::vector<std::string> input_files(const Options& options, const std::string& name,
                                     const std::string& base, Faults& faults);

/// Throws Error data.overlap if a file is among both `path` and `heldout`.
void refuse_overlap(const Options& options, const std::string& base);

/// Read-only, shared between processes by the page cache; movable.
class MappedFile {
 public:
  /// Throws Error data.missing_file.
  explicit MappedFile(std::string path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  const std::string& path() const { return path_; }
  std::span<const uint8_t> bytes() const { return {data_, size_}; }

 private:
  std::string path_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace assay
