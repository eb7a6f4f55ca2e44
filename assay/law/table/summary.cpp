// What was made of a table, for results and reports.
#include <nlohmann/json.hpp>

#include "assay/law/table/table.h"

namespace assay {

nlohmann::json to_json(const TableRows& table) {
  nlohmann::json columns = nlohmann::json::array(), left_out = columns, warnings = columns;
  for (const UsedColumn& column : table.columns)
    columns.push_back({{"role", column.role}, {"column", column.column}, {"scale", column.scale}});
  for (const LeftOut& rows : table.left_out)
    left_out.push_back({{"where", rows.expression}, {"rows", rows.rows}});
  for (const TableWarning& warning : table.warnings)
    warnings.push_back(
        {{"code", warning.code}, {"message", warning.message}, {"lines", warning.lines}});
  return {{"columns", columns},
          {"unused_columns", table.unused_columns},
          {"data_from_compute", table.data_from_compute},
          {"size_from_compute", table.size_from_compute},
          {"rows", table.rows.size()},
          {"rows_read", table.rows_read},
          {"left_out", left_out},
          {"diverged", table.diverged},
          {"upper_bounds", table.upper_bounds},
          {"failed", table.failed},
          {"duplicates", table.duplicates},
          {"constant", table.constant},
          {"model_size_definition", table.model_size_definition},
          {"loss_unit", table.loss_unit},
          {"data_unit", table.data_unit},
          {"warnings", warnings}};
}

}  // namespace assay
