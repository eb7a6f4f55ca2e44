// Appends JSON lines, cuts torn ones, reads them back.
#include "assay/store/record_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "assay/core/error.h"
#include "assay/store/atomic_file.h"
#include "assay/store/files.h"

namespace assay {
namespace fs = std::filesystem;

RecordLog::RecordLog(const fs::path& path, std::optional<int64_t> keep_bytes) : path_(path) {
  int64_t keep = 0;
  const bool existed = fs::exists(path);
  const int64_t size = existed ? static_cast<int64_t>(fs::file_size(path)) : 0;
  if (keep_bytes) {
    keep = *keep_bytes;
    if (size < keep) {
      throw Error("store.read",
                  fmt::format("{} has {} bytes, but the checkpoint counts on {}", path.string(),
                              size, keep),
                  "the file was cut or replaced: remove the trial's folder to train it anew");
    }
  } else if (existed) {
    const size_t newline = read_file(path).rfind('\n');
    keep = newline == std::string::npos ? 0 : static_cast<int64_t>(newline) + 1;
  }
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw_write_error(path, errno);
  if (size > keep && ::ftruncate(descriptor_, keep) < 0) {
    const int error = errno;
    ::close(std::exchange(descriptor_, -1));
    throw_write_error(path, error);
  }
  bytes_ = keep;
  if (!existed) sync_folder(path.parent_path());
}

RecordLog::~RecordLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RecordLog::append(const nlohmann::json& record) {
  std::string line = record.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  line += '\n';
  try {
    write_fully(descriptor_, line, path_);
  } catch (const Error&) {
    // A full disk took part of the line: cut it off again, so that the file stays whole.
    static_cast<void>(!::ftruncate(descriptor_, bytes_));
    throw;
  }
  bytes_ += static_cast<int64_t>(line.size());
}

void RecordLog::sync() {
  if (::fdatasync(descriptor_) < 0) throw_write_error(path_, errno);
}

int64_t RecordLog::bytes() const { return bytes_; }

Records read_records(const fs::path& path) {
  Records records;
  if (!fs::exists(path)) return records;
  const std::string text = read_file(path);
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    ++number;
    const size_t newline = text.find('\n', begin);
    if (newline == std::string::npos) {
      records.torn = true;
      break;
    }
    auto line = nlohmann::json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                      text.begin() + static_cast<std::ptrdiff_t>(newline), nullptr,
                                      /*allow_exceptions=*/false);
    begin = newline + 1;
    if (!line.is_discarded()) {
      records.lines.push_back(std::move(line));
    } else if (begin == text.size()) {
      records.torn = true;  // a power cut can leave zeros and a newline
    } else {
      throw Error("store.corrupt", fmt::format("{}: line {} is not JSON", path.string(), number),
                  "the file was changed by hand or by a failing disk: restore it, or remove the "
                  "trial's folder to train it anew");
    }
  }
  return records;
}

}  // namespace assay
