// The header of a .npy file: a Python dictionary with three keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

struct NpyHeader {
  std::string descr;  // "<f4"; for records and other non-strings their Python text
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

/// Reads "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", keys in any order. Nothing
/// if it is not such a dictionary with exactly these keys.
std::optional<NpyHeader> parse_npy_header(std::string_view text);

}  // namespace assay
