// Arrays in files: NumPy's .npy and safetensors, mapped into memory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "assay/data/files.h"

namespace assay {

/// A little-endian array in C order. Elements may lie unaligned: copy them out.
struct FileArray {
  std::shared_ptr<const MappedFile> file;  // keeps `data` alive
  std::string name;                        // "FILE", or "FILE: tensor `NAME`": for messages
  std::string dtype;                       // uint8 | int8 | … | uint64 | float32
  std::vector<int64_t> shape;
  std::span<const uint8_t> data;  // the product of shape elements

  int64_t count() const { return shape.empty() ? 0 : shape[0]; }
};

/// Bytes of one element of a dtype that FileArray names; 0 for any other.
size_t item_size(const std::string& dtype);

/// The array of a .npy file, versions 1 to 3 (numpy.lib.format). Reads the header only. Throws
/// Error
///   data.missing_file   cannot be opened
///   data.format         not a .npy file (or .npz, or a pickle), unknown version, broken header,
///                       bytes after the array
///   data.truncated      ends inside header or array
///   data.dtype          not one of the above: pickled objects, records, big-endian, float64, …
///   data.layout         Fortran order
/// each with what to do in NumPy.
FileArray read_npy(const std::string& path);

/// One tensor of a safetensors file. Throws Error as read_npy, and data.tensor naming the nearest
/// tensor if there is none of that name.
FileArray read_tensor(const std::string& path, const std::string& tensor);

/// The names of all tensors of a safetensors file.
std::vector<std::string> tensor_names(const std::string& path);

}  // namespace assay
