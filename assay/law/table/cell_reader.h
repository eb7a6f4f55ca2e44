// Cells of a table as numbers.
#pragma once

#include <cstdint>
#include <optional>

#include "assay/law/table/file.h"
#include "assay/law/table/number.h"

namespace assay {

/// Knows the decimal mark of its file: a comma or a point where semicolons separate, but not both.
class CellReader {
 public:
  /// file must outlive it.
  explicit CellReader(const TableFile& file) : file_(file), mark_(decimal_mark(file.separator())) {}

  /// Throws Error data.decimal_mark where the file has commas and points for decimal marks.
  ParsedNumber read(const TableRow& row, size_t column);
  /// The first line with a decimal comma.
  std::optional<int64_t> comma_line() const { return comma_line_; }

 private:
  const TableFile& file_;
  DecimalMark mark_;
  std::optional<int64_t> comma_line_, point_line_;
};

}  // namespace assay
