// Decoding in parallel, and the cache file: magic, length of a JSON header, header, labels, pixels.
#include "assay/data/image_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "assay/core/parallel.h"
#include "assay/data/decode.h"

namespace assay {
namespace {

constexpr char magic[8] = {'A', 'S', 'S', 'A', 'Y', 'I', 'M', '1'};
constexpr size_t alignment = 64;
constexpr int64_t kMostThreads = 4;

size_t aligned(size_t value) { return (value + alignment - 1) / alignment * alignment; }

std::span<const uint8_t> bytes_of(const void* data, size_t size) {
  return {static_cast<const uint8_t*>(data), size};
}

void write_all(int file, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw Error("environment.cache", std::strerror(errno));
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

}  // namespace

void decode_named(std::span<const uint8_t> bytes, const std::string& name, int size,
                  std::span<uint8_t> out) {
  try {
    area_average(decode_image(bytes), size, out);
  } catch (const std::exception& error) {
    throw Error("data.decode", fmt::format("{}: {}", name, error.what()),
                "repair or remove the entry, or set on_error = \"skip\"");
  }
}

DecodedImages decode_all(const DecodeSample& decode, std::vector<Sample>& samples, int size,
                         Faults& faults, bool keep) {
  DecodedImages out;
  out.size = size;
  const size_t each = out.image_bytes();
  out.owned.resize(keep ? samples.size() * each : 0);
  std::vector<std::optional<Error>> failed(samples.size());
  in_parallel(std::min(kMostThreads, hardware_threads()), static_cast<int64_t>(samples.size()),
              [&](int64_t task) {
                const auto i = static_cast<size_t>(task);
                std::vector<uint8_t> unused(keep ? 0 : each);
                try {
                  decode(samples[i], size,
                         keep ? std::span(out.owned).subspan(i * each, each) : unused);
                } catch (const Error& error) {
                  failed[i] = error;
                }
              });
  size_t kept = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    if (failed[i]) {
      faults.report(*failed[i]);
      continue;
    }
    if (keep && kept != i)
      std::memmove(out.owned.data() + kept * each, out.owned.data() + i * each, each);
    out.labels.push_back(samples[i].label);
    samples[kept++] = samples[i];
  }
  samples.resize(kept);
  out.owned.resize(keep ? kept * each : 0);
  out.count = static_cast<int64_t>(kept);
  out.pixels = out.owned.data();
  return out;
}

std::optional<DecodedImages> load_decoded(const std::string& path) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  MappedFile file(path);
  const auto bytes = file.bytes();
  uint64_t length = 0;
  constexpr size_t start = sizeof magic + sizeof length;
  if (bytes.size() < start || std::memcmp(bytes.data(), magic, sizeof magic) != 0)
    return std::nullopt;
  std::memcpy(&length, bytes.data() + sizeof magic, sizeof length);
  if (length > bytes.size() - start) return std::nullopt;
  const auto text = bytes.subspan(start, length);
  const auto header = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  if (!header.is_object()) return std::nullopt;
  DecodedImages out;
  out.count = header.at("count").get<int64_t>();
  out.size = header.at("size").get<int>();
  out.skipped = header.at("skipped").get<int64_t>();
  out.notes = header.at("notes").get<std::vector<std::string>>();
  const auto count = static_cast<size_t>(out.count);
  const size_t labels_at = aligned(start + length), pixels_at = aligned(labels_at + 4 * count);
  if (bytes.size() != pixels_at + count * out.image_bytes()) return std::nullopt;
  out.labels.resize(count);
  std::memcpy(out.labels.data(), bytes.data() + labels_at, 4 * count);
  out.pixels = bytes.data() + pixels_at;
  out.mapped = std::move(file);
  return out;
}

void save_decoded(const std::string& path, const DecodedImages& images) {
  const std::string header = nlohmann::json{
      {"count", images.count},
      {"size", images.size},
      {"skipped", images.skipped},
      {"notes", images.notes}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::vector<uint8_t> front(sizeof magic + sizeof(uint64_t));
  const uint64_t length = header.size();
  std::memcpy(front.data(), magic, sizeof magic);
  std::memcpy(front.data() + sizeof magic, &length, sizeof length);
  front.insert(front.end(), header.begin(), header.end());
  front.resize(aligned(front.size()));
  const auto labels = bytes_of(images.labels.data(), images.labels.size() * sizeof(int32_t));
  front.insert(front.end(), labels.begin(), labels.end());
  front.resize(aligned(front.size()));

  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const std::string beside = fmt::format("{}.{}.part", path, ::getpid());
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0)
    throw Error("environment.cache", fmt::format("{}: {}", beside, std::strerror(errno)));
  try {
    write_all(file, front);
    write_all(file, {images.pixels, static_cast<size_t>(images.count) * images.image_bytes()});
    if (::fsync(file) != 0) throw Error("environment.cache", std::strerror(errno));
  } catch (const Error& error) {
    ::close(file);
    ::unlink(beside.c_str());
    throw Error("environment.cache", fmt::format("{}: {}", beside, error.what()));
  }
  ::close(file);
  if (::rename(beside.c_str(), path.c_str()) != 0)
    throw Error("environment.cache", fmt::format("{}: {}", path, std::strerror(errno)));
}

CacheLock::CacheLock(const std::string& path) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  while (file_ >= 0 && ::flock(file_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

CacheLock::~CacheLock() {
  if (file_ >= 0) ::close(file_);
}

std::string cache_folder(const std::string& option) {
  if (option != "auto") return option;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache && *cache) return fmt::format("{}/assay", cache);
  const char* home = std::getenv("HOME");
  return home && *home ? fmt::format("{}/.cache/assay", home) : std::string();
}

}  // namespace assay
