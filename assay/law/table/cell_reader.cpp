#include "assay/law/table/cell_reader.h"

#include <fmt/format.h>

namespace assay {

ParsedNumber CellReader::read(const TableRow& row, size_t column) {
  const std::string_view cell = row.cells[column];
  if (mark_ == DecimalMark::comma_or_point) {
    if (!comma_line_ && cell.find(',') != cell.npos) comma_line_ = row.line;
    if (!point_line_ && cell.find('.') != cell.npos) point_line_ = row.line;
    if (comma_line_ && point_line_)
      throw file_.error(
          "data.decimal_mark",
          fmt::format("decimal commas (line {}) and decimal points (line {})", *comma_line_,
                      *point_line_),
          "write all numbers with the same decimal mark, without thousands separators", row,
          column);
  }
  return parse_number(cell, mark_);
}

}  // namespace assay
