// Append-only JSON lines: records.jsonl, timing.jsonl.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

namespace assay {

/// Writer. Every line is one write(2) that ends in a newline; nothing is buffered in the process.
class RecordLog {
 public:
  /// keep_bytes: cut the file back to this length first (resume); absent = keep all whole lines.
  /// Throws Error store.write, environment.disk_full; store.read if the file is shorter than
  /// keep_bytes.
  RecordLog(const std::filesystem::path& path, std::optional<int64_t> keep_bytes);
  ~RecordLog();
  RecordLog(const RecordLog&) = delete;
  RecordLog& operator=(const RecordLog&) = delete;

  void append(const nlohmann::json& record);
  void sync();            // to disk: before a checkpoint names this length
  int64_t bytes() const;  // length so far

 private:
  int descriptor_ = -1;
  int64_t bytes_ = 0;
  std::filesystem::path path_;
};

struct Records {
  std::vector<nlohmann::json> lines;
  bool torn = false;  // the last line was incomplete and left out
};
/// A missing file reads as no records. Throws Error store.corrupt for a broken line that is not the
/// last.
Records read_records(const std::filesystem::path& path);

}  // namespace assay
