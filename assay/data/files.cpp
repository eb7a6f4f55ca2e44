// Globs and memory maps.
#include "assay/data/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

namespace assay {
namespace {

std::vector<Node> patterns_of(const Options& options, const std::string& name) {
  if (!options.has(name))
    throw Error("config.missing_key", fmt::format("`{}` is missing in [{}]", name, options.where()),
                "a path, a pattern such as \"data/train-*.tar\", or a list of them",
                options.effective().key_place.source ? options.effective().key_place
                                                     : options.effective().place);
  const Node& given = options.node(name);
  std::vector<Node> patterns =
      given.is_array() ? std::vector<Node>(given.array()) : std::vector<Node>{given};
  for (const Node& pattern : patterns)
    if (!pattern.is_text())
      throw Error("config.type",
                  fmt::format("`{}` in [{}] must be a path or a list of paths, not {}", name,
                              options.where(), pattern.kind()),
                  "write it as \"data/train-*.tar\"", pattern.place);
  return patterns;
}

std::vector<std::string> matches(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> out;
  if (::glob(pattern.c_str(), GLOB_BRACE, nullptr, &found) == 0)
    out.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Option paths_option(const std::string& name, const std::string& help) {
  return declare::any(name, help);
}

std::vector<std::string> input_files(const Options& options, const std::string& name,
                                     const std::string& base, Faults& faults) {
  std::vector<std::string> files;
  for (const Node& pattern : patterns_of(options, name)) {
    const std::string full = (std::filesystem::path(base) / pattern.text()).string();
    const std::vector<std::string> found = matches(full);
    if (found.empty())
      faults.report(Error("data.missing_file", fmt::format("no file matches {}", full),
                          "relative paths start from the folder of the study file", pattern.place));
    for (const std::string& file : found)
      if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
  }
  return files;
}

void refuse_overlap(const Options& options, const std::string& base) {
  const auto files = [&](const std::string& name) {
    Faults ignored(true);  // a missing file is reported by the split that needs it
    std::set<std::string> out;
    for (const std::string& file : input_files(options, name, base, ignored))
      out.insert(std::filesystem::weakly_canonical(file).string());
    return out;
  };
  const std::set<std::string> train = files("path"), heldout = files("heldout");
  for (const std::string& file : heldout)
    if (train.contains(file))
      throw options.error("heldout", "data.overlap",
                          fmt::format("{} is both in `path` and in `heldout`", file),
                          "held-out examples must not be trained on: use other files");
}

MappedFile::MappedFile(std::string path) : path_(std::move(path)) {
  const auto fail = [&](const char* reason) {
    throw Error("data.missing_file", fmt::format("cannot read {}: {}", path_, reason),
                "check the path; relative ones start from the folder of the study file");
  };
  const int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(std::strerror(errno));
  struct stat status {};
  const bool regular = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  size_ = regular ? static_cast<size_t>(status.st_size) : 0;
  void* map = size_ > 0 ? ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file, 0) : nullptr;
  const int problem = errno;
  ::close(file);
  if (!regular) fail("not a regular file");
  if (map == MAP_FAILED) fail(std::strerror(problem));
  data_ = static_cast<const uint8_t*>(map);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<uint8_t*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace assay
