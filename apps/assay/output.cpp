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

/// A file that a study folder lives on: its description, or anything of a trial.
bool belongs_to_study(const fs::path& path, const fs::path& folder) {
  std::error_code ignored;
  const fs::path inside =
      fs::weakly_canonical(path, ignored).lexically_relative(fs::weakly_canonical(folder, ignored));
  return inside == "study.json" || inside == "study.toml" ||
         (!inside.empty() && *inside.begin() == "trials");
}

}  // namespace

void check_output(const std::string& path, const std::vector<std::string>& inputs,
                  const char* option) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    throw refusal(fmt::format("{} is a folder, and {} names a file", path, option),
                  "add the file's name to it");
  for (const std::string& input : inputs) {
    if (input.empty()) continue;
    if (fs::equivalent(path, input, ignored) || fs::path(path) == fs::path(input))
      throw refusal(fmt::format("{} {} would overwrite {}", option, path, input),
                    "give another name");
    if (fs::is_directory(input, ignored) && belongs_to_study(path, input))
      throw refusal(
          fmt::format("{} {} would overwrite what the study in {} is made of", option, path, input),
          "give a name outside its trials");
  }
  fs::path folder = fs::path(path).parent_path();
  if (folder.empty()) folder = ".";
  if (!fs::is_directory(folder, ignored))
    throw refusal(fmt::format("there is no folder {} for {} {}", folder.string(), option, path),
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
