// Headers of .npy and .safetensors files, checked against the length of the file.
#include "assay/data/array_file.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "assay/data/npy_header.h"

namespace assay {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are used as they lie in files");

constexpr const char* export_again = "the file was cut or changed: write it again";

struct Dtype {
  std::string_view name, npy, safetensors;
  size_t size;
};
// NumPy marks one-byte types with '|' (no byte order), others with '<' (little-endian).
constexpr std::array<Dtype, 9> dtypes{{{"uint8", "|u1", "U8", 1},
                                       {"int8", "|i1", "I8", 1},
                                       {"int16", "<i2", "I16", 2},
                                       {"uint16", "<u2", "U16", 2},
                                       {"int32", "<i4", "I32", 4},
                                       {"uint32", "<u4", "U32", 4},
                                       {"int64", "<i8", "I64", 8},
                                       {"uint64", "<u8", "U64", 8},
                                       {"float32", "<f4", "F32", 4}}};

std::string_view text_of(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

uint64_t little_endian(std::span<const uint8_t> bytes) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

Error format_error(const std::string& name, const std::string& reason,
                   const std::string& help = export_again) {
  return Error("data.format", fmt::format("{}: {}", name, reason), help);
}

Error truncated(const std::string& name, const std::string& reason) {
  return Error("data.truncated", fmt::format("{}: {}", name, reason), export_again);
}

/// dtype × shape in bytes; nothing on overflow.
std::optional<uint64_t> bytes_of(const FileArray& array) {
  uint64_t bytes = item_size(array.dtype);
  for (const int64_t side : array.shape)
    if (side < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(side), &bytes))
      return std::nullopt;
  return bytes;
}

std::string shape_text(const std::vector<int64_t>& shape) { return nlohmann::json(shape).dump(); }

/// The dtype of a .npy header, or the error that says what to do about it.
std::string npy_dtype(const std::string& name, const std::string& descr) {
  for (const Dtype& dtype : dtypes)
    if (descr == dtype.npy) return std::string(dtype.name);
  const auto fail = [&](const std::string& reason, const std::string& help) {
    return Error("data.dtype", fmt::format("{}: {}", name, reason), help);
  };
  if (descr.starts_with("|O"))
    throw fail("its elements are pickled Python objects, which are never loaded",
               "make one array of numbers before saving: "
               "np.save(path, np.stack(list(a)).astype(np.uint8))");
  if (descr.starts_with("["))
    throw fail(fmt::format("its elements are records {}", descr), "save each field as an array");
  if (descr.starts_with(">"))
    throw fail(fmt::format("its numbers are big-endian ('{}')", descr),
               "np.save(path, a.astype(a.dtype.newbyteorder(\"<\")))");
  throw fail(fmt::format("dtype '{}' is not supported", descr),
             "images: np.save(path, a.astype(np.float32)) or np.uint8; labels: np.int64");
}

void refuse_other_formats(const std::string& name, std::string_view text) {
  if (text.starts_with("\x93NUMPY")) return;
  const std::string save = "np.save(path, a) writes a .npy file";
  if (text.empty()) throw truncated(name, "the file is empty");
  if (text.starts_with("PK"))
    throw format_error(name, "a zip archive (.npz), not a .npy file",
                       "np.save each of its arrays: np.save(path, np.load(file)[key])");
  if (text[0] == '\x80')
    throw format_error(name, "a Python pickle, not a .npy file: pickles are never loaded", save);
  throw format_error(name, "not a .npy file: it does not begin with \\x93NUMPY", save);
}

struct NpyParts {
  std::string_view header;
  std::span<const uint8_t> data;
};

NpyParts split_npy(const std::string& name, std::span<const uint8_t> bytes) {
  refuse_other_formats(name, text_of(bytes));
  constexpr size_t version_at = 6, length_at = 8;
  if (bytes.size() < length_at) throw truncated(name, "the file ends inside its header");
  const int major = bytes[version_at];
  if (major < 1 || major > 3)
    throw format_error(name, fmt::format("version {} of the format is unknown", major),
                       "np.save of NumPy 1 or 2 writes versions 1 to 3");
  const size_t width = major == 1 ? 2 : 4, header_at = length_at + width;
  if (bytes.size() < header_at) throw truncated(name, "the file ends inside its header");
  const uint64_t length = little_endian(bytes.subspan(length_at, width));
  if (length > bytes.size() - header_at) throw truncated(name, "the file ends inside its header");
  return {text_of(bytes.subspan(header_at, length)), bytes.subspan(header_at + length)};
}

/// The JSON header of a safetensors file and the bytes after it.
std::pair<nlohmann::json, std::span<const uint8_t>> split_safetensors(
    const std::string& name, std::span<const uint8_t> bytes) {
  constexpr size_t width = 8;
  if (bytes.size() < width) throw truncated(name, "the file ends inside its header");
  const uint64_t length = little_endian(bytes.first(width));
  constexpr const char* save = "safetensors.numpy.save_file writes such a file";
  if (bytes.size() > width && bytes[width] != '{')
    throw format_error(name, "not a safetensors file: no JSON header at byte 8", save);
  if (length > bytes.size() - width) throw truncated(name, "the file ends inside its header");
  auto header = nlohmann::json::parse(text_of(bytes.subspan(width, length)), nullptr, false);
  if (!header.is_object()) throw format_error(name, "its header is not JSON", save);
  header.erase("__metadata__");
  return {std::move(header), bytes.subspan(width + length)};
}

std::vector<std::string> keys_of(const nlohmann::json& header) {
  std::vector<std::string> names;
  for (const auto& [key, value] : header.items()) names.push_back(key);
  return names;
}

}  // namespace

size_t item_size(const std::string& dtype) {
  for (const Dtype& known : dtypes)
    if (dtype == known.name) return known.size;
  return 0;
}

FileArray read_npy(const std::string& path) {
  FileArray array;
  array.file = std::make_shared<MappedFile>(path);
  array.name = path;
  const auto [text, data] = split_npy(path, array.file->bytes());
  const auto header = parse_npy_header(text);
  if (!header) throw format_error(path, "its header is not that of an array");
  array.dtype = npy_dtype(path, header->descr);
  array.shape = header->shape;
  if (header->fortran_order && array.shape.size() > 1)
    throw Error("data.layout", fmt::format("{}: the array is in Fortran order", path),
                "np.save(path, np.ascontiguousarray(a))");
  const auto size = bytes_of(array);
  if (!size || *size > data.size())
    throw truncated(path, fmt::format("{} bytes of data where {} {} needs {}", data.size(),
                                      array.dtype, shape_text(array.shape),
                                      size ? fmt::format("{}", *size) : "more than 2^64"));
  if (*size < data.size())
    throw format_error(path, fmt::format("{} bytes after the array", data.size() - *size),
                       "one file holds one array: np.save it alone");
  array.data = data;
  return array;
}

FileArray read_tensor(const std::string& path, const std::string& tensor) {
  FileArray array;
  array.file = std::make_shared<MappedFile>(path);
  array.name = fmt::format("{}: tensor `{}`", path, tensor);
  const auto [header, data] = split_safetensors(path, array.file->bytes());
  const auto found = header.find(tensor);
  if (found == header.end())
    throw Error("data.tensor", fmt::format("{}: no tensor `{}`", path, tensor),
                suggest(tensor, keys_of(header)));
  std::vector<uint64_t> offsets;
  std::string dtype;
  try {
    dtype = found->at("dtype").get<std::string>();
    array.shape = found->at("shape").get<std::vector<int64_t>>();
    offsets = found->at("data_offsets").get<std::vector<uint64_t>>();
  } catch (const nlohmann::json::exception&) {
    throw format_error(array.name, "dtype, shape or data_offsets is missing or wrong");
  }
  for (const Dtype& known : dtypes)
    if (dtype == known.safetensors) array.dtype = known.name;
  if (array.dtype.empty())
    throw Error("data.dtype", fmt::format("{}: dtype {} is not supported", array.name, dtype),
                "store images as U8 or F32, labels as I64");
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    throw format_error(array.name, "its data_offsets are wrong");
  if (offsets[1] > data.size())
    throw truncated(array.name,
                    fmt::format("its data end at byte {} of {}", offsets[1], data.size()));
  const auto size = bytes_of(array);
  if (!size || *size != offsets[1] - offsets[0])
    throw format_error(
        array.name, fmt::format("{} bytes do not make {} {}", offsets[1] - offsets[0], array.dtype,
                                shape_text(array.shape)));
  array.data = data.subspan(offsets[0], *size);
  return array;
}

std::vector<std::string> tensor_names(const std::string& path) {
  const MappedFile file(path);
  return keys_of(split_safetensors(path, file.bytes()).first);
}

}  // namespace assay
