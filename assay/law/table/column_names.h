// The names that columns have in common use, and the units and scales behind them.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

enum class ColumnRole {
  model_size,
  data_size,
  compute,
  loss,
  unique_data,
  status,
  run,
  group,
  unit
};
constexpr size_t kColumnRoles = 9;

struct RoleNames {
  ColumnRole role;
  std::string_view name;                // "model_size"
  std::string_view option;              // of `assay fit`: "--n-column"
  std::string_view meaning;             // "the model size N"
  std::vector<std::string_view> known;  // plain_name of what people call it
};
/// In the order of ColumnRole.
const std::array<RoleNames, kColumnRoles>& roles();
const RoleNames& names_of(ColumnRole role);

/// Its letters and digits in lower case: "Model_Size" and "model size" are both "modelsize".
/// Symbols other than blanks, brackets and - _ . / : # stay.
std::string plain_name(std::string_view column);

struct RecognisedName {
  ColumnRole role;
  double scale = 1;    // of its numbers: 1e9 for `tokens_B` or `Params (billions)`
  std::string detail;  // of a loss: the unit in its name, as in `loss_bits_per_byte`; else empty
};
std::optional<RecognisedName> recognise(std::string_view column);

}  // namespace assay
