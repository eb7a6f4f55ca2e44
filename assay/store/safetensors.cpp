// Writes and checks safetensors files: 8-byte little-endian header length, JSON header, raw data.
// Format: https://github.com/huggingface/safetensors#format
#include "assay/store/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "assay/core/error.h"
#include "assay/store/files.h"

namespace assay {
namespace fs = std::filesystem;
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeader = 100'000'000;  // the limit of the reference implementation

uint64_t bytes_per_element(const std::string& dtype) {
  if (dtype == "F32") return 4;
  if (dtype == "F64" || dtype == "I64") return 8;
  if (dtype == "U8") return 1;
  return 0;
}

// dtype × shape in bytes; nothing for an unknown dtype, a negative side or an overflow.
std::optional<uint64_t> size_of(const std::string& dtype, const std::vector<int64_t>& shape) {
  uint64_t size = bytes_per_element(dtype);
  if (size == 0) return std::nullopt;
  for (const int64_t side : shape) {
    if (side < 0 || __builtin_mul_overflow(size, static_cast<uint64_t>(side), &size))
      return std::nullopt;
  }
  return size;
}

[[noreturn]] void corrupt(const fs::path& path, const std::string& reason) {
  throw Error(
      "store.corrupt", fmt::format("{}: {}", path.string(), reason),
      "the file was cut or changed: restore it, or remove the trial's folder to train anew");
}

uint64_t header_length(const fs::path& path, std::string_view start, uint64_t file_size) {
  if (start.size() < kLengthBytes) corrupt(path, "truncated: no room for the header's length");
  uint64_t length = 0;
  std::memcpy(&length, start.data(), kLengthBytes);
  if (length > kMaxHeader || length > file_size - kLengthBytes) {
    corrupt(path,
            fmt::format("truncated: a header of {} bytes in a file of {}", length, file_size));
  }
  return length;
}

nlohmann::json parse_header(const fs::path& path, std::string_view text) {
  auto header = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (header.is_discarded()) corrupt(path, "header is not JSON");
  if (!header.is_object()) corrupt(path, "header is not a JSON object");
  return header;
}

std::map<std::string, std::string> metadata_of(const fs::path& path, const nlohmann::json& header) {
  std::map<std::string, std::string> metadata;
  const auto it = header.find("__metadata__");
  if (it == header.end()) return metadata;
  if (!it->is_object()) corrupt(path, "__metadata__ is not an object");
  for (const auto& [key, value] : it->items()) {
    if (!value.is_string()) corrupt(path, fmt::format("metadata `{}` is not text", key));
    metadata[key] = value;
  }
  return metadata;
}

StoredTensor tensor_of(const fs::path& path, const std::string& name, const nlohmann::json& entry,
                       std::span<const std::byte> data) {
  StoredTensor tensor;
  std::vector<uint64_t> offsets;
  tensor.name = name;
  try {
    tensor.dtype = entry.at("dtype").get<std::string>();
    tensor.shape = entry.at("shape").get<std::vector<int64_t>>();
    offsets = entry.at("data_offsets").get<std::vector<uint64_t>>();
  } catch (const nlohmann::json::exception&) {
    corrupt(path, fmt::format("tensor `{}` lacks dtype, shape or data_offsets", name));
  }
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data.size()) {
    corrupt(path, fmt::format("truncated: tensor `{}` lies outside the file ({} bytes of data)",
                              name, data.size()));
  }
  const auto size = size_of(tensor.dtype, tensor.shape);
  if (!size) corrupt(path, fmt::format("tensor `{}`: unknown dtype or impossible shape", name));
  if (*size != offsets[1] - offsets[0]) {
    corrupt(path, fmt::format("tensor `{}`: {} bytes where dtype × shape needs {}", name,
                              offsets[1] - offsets[0], *size));
  }
  tensor.data = data.subspan(offsets[0], *size);
  return tensor;
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(const fs::path& path, std::span<const Entry> entries,
                                     const std::map<std::string, std::string>& metadata)
    : file_(path) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  for (const Entry& entry : entries) {
    const auto size = size_of(entry.dtype, entry.shape);
    if (!size || header.contains(entry.name)) {
      throw Error("store.tensor",
                  fmt::format("cannot store tensor `{}`: {} of {} sides (unknown dtype, impossible "
                              "shape or a name used twice)",
                              entry.name, entry.dtype, entry.shape.size()));
    }
    header[entry.name] = {{"dtype", entry.dtype},
                          {"shape", entry.shape},
                          {"data_offsets", {data_bytes_, data_bytes_ + *size}}};
    data_bytes_ += *size;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data starts aligned
  const uint64_t length = text.size();
  std::string start(kLengthBytes, '\0');
  std::memcpy(start.data(), &length, kLengthBytes);
  file_.write(start + text);
}

void SafetensorsWriter::append(std::span<const std::byte> data) {
  written_ += data.size();
  if (written_ > data_bytes_)
    throw Error("store.tensor",
                fmt::format("{} bytes where the header names {}", written_, data_bytes_));
  file_.write({reinterpret_cast<const char*>(data.data()), data.size()});
}

void SafetensorsWriter::commit() {
  if (written_ != data_bytes_)
    throw Error("store.tensor",
                fmt::format("{} bytes where the header names {}", written_, data_bytes_));
  file_.commit();
}

void write_safetensors(const fs::path& path, std::span<const StoredTensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<SafetensorsWriter::Entry> entries;
  for (const StoredTensor& tensor : tensors) {
    entries.push_back({tensor.name, tensor.dtype, tensor.shape});
    if (size_of(tensor.dtype, tensor.shape) != tensor.data.size())
      throw Error("store.tensor",
                  fmt::format("cannot store tensor `{}`: {} bytes as {} of {} sides", tensor.name,
                              tensor.data.size(), tensor.dtype, tensor.shape.size()));
  }
  SafetensorsWriter file(path, entries, metadata);
  for (const StoredTensor& tensor : tensors) file.append(tensor.data);
  file.commit();
}

SafetensorsFile::SafetensorsFile(const fs::path& path) : bytes_(read_file(path)) {
  const uint64_t length = header_length(path, bytes_, bytes_.size());
  const auto header = parse_header(path, std::string_view(bytes_).substr(kLengthBytes, length));
  metadata_ = metadata_of(path, header);
  const auto data = std::as_bytes(std::span(bytes_)).subspan(kLengthBytes + length);
  for (const auto& [name, entry] : header.items())
    if (name != "__metadata__") tensors_.push_back(tensor_of(path, name, entry, data));
  // Back to the order of writing; a tensor without elements goes before the one that starts there.
  std::ranges::sort(tensors_, [](const StoredTensor& a, const StoredTensor& b) {
    return std::pair(a.data.data(), a.data.size()) < std::pair(b.data.data(), b.data.size());
  });
  const std::byte* end = data.data();
  for (const StoredTensor& tensor : tensors_) {
    if (tensor.data.data() != end) corrupt(path, "tensors overlap or leave holes");
    end += tensor.data.size();
  }
  if (end != data.data() + data.size()) corrupt(path, "bytes after the last tensor");
}

const StoredTensor* SafetensorsFile::find(const std::string& name) const {
  const auto it = std::ranges::find(tensors_, name, &StoredTensor::name);
  return it == tensors_.end() ? nullptr : &*it;
}

std::map<std::string, std::string> read_safetensors_metadata(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw Error("store.read", fmt::format("cannot read {}: {}", path.string(), strerror(errno)),
                "check the path");
  }
  std::string start(kLengthBytes, '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<size_t>(in.gcount()));
  std::string text(header_length(path, start, fs::file_size(path)), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  return metadata_of(path, parse_header(path, text));
}

}  // namespace assay
