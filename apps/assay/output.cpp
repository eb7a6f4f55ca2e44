#include "apps/assay/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "assay/core/error.h"
#include "assay/store/atomic_file.h"
#include "assay/store/files.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

Error refusal(const std::string& message, const std::string& help) {
  return Error("usage.output", message, help);
}

}  // namespace

void check_output(const std::string& path, const std::vector<std::string>& inputs) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    throw refusal(fmt::format("{} is a folder, and -o names a file", path),
                  "add the file's name to it");
  for (const std::string& input : inputs)
    if (fs::equivalent(path, input, ignored))
      throw refusal(fmt::format("-o {} would overwrite {}, which is read here", path, input),
                    "give another name");
  fs::path folder = fs::path(path).parent_path();
  if (folder.empty()) folder = ".";
  if (!fs::is_directory(folder, ignored))
    throw refusal(fmt::format("there is no folder {} for -o {}", folder.string(), path),
                  "make it first, or name another");
  if (::access(folder.c_str(), W_OK) != 0 && !fs::exists(path, ignored))
    throw refusal(fmt::format("{} cannot be written to", folder.string()),
                  "name a file in a folder of yours");
}

void write_output(const std::string& path, std::string_view text) {
  std::error_code ignored;
  if (!fs::exists(path, ignored) || fs::is_regular_file(path, ignored)) {
    write_atomically(fs::is_symlink(path, ignored) ? fs::canonical(path) : fs::path(path), text);
    return;
  }
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) throw_write_error(path, errno);
  try {
    write_fully(descriptor, text, path);
  } catch (...) {
    ::close(descriptor);
    throw;
  }
  ::close(descriptor);
}

}  // namespace assay::cli
