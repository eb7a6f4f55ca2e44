// measures.jsonl: what `assay measure` found out about a trial after it was trained.
#include "assay/store/measure_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "assay/core/error.h"
#include "assay/store/files.h"

namespace assay {
namespace fs = std::filesystem;
namespace {

// A lock on the folder itself: it leaves no file behind, and the trial's .lock stays its trainer's.
class Turn {
 public:
  explicit Turn(const fs::path& folder)
      : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    while (descriptor_ >= 0 && ::flock(descriptor_, LOCK_EX) != 0) {
      if (errno == EINTR) continue;
      const int error = errno;
      ::close(descriptor_);
      throw Error("environment.lock",
                  fmt::format("cannot lock {}: {}", folder.string(), strerror(error)),
                  "this file system may not support flock; use a local folder");
    }
    if (descriptor_ < 0)
      throw Error("store.read", fmt::format("cannot open {}: {}", folder.string(), strerror(errno)),
                  "check the path");
  }
  ~Turn() { ::close(descriptor_); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  int descriptor_;
};

}  // namespace

void append_measures(const fs::path& trial, const std::vector<nlohmann::json>& records) {
  const Turn turn(trial);
  const fs::path path = trial / "measures.jsonl";
  std::string text = fs::exists(path) ? read_file(path) : "";
  for (const nlohmann::json& line : records)
    text += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
  write_atomically(path, text);
}

}  // namespace assay
