// Units that a column names, row by row.
#include <fmt/format.h>

#include <map>
#include <set>

#include "assay/law/table/checks.h"
#include "assay/law/table/file.h"

namespace assay {

void settle_loss_unit(const std::filesystem::path& path, TableRows& table) {
  std::map<std::string, const Observation*> of_group;
  std::set<std::string> units;
  const auto refuse = [&](int64_t line, const std::string& what) {
    throw Error("data.mixed_units", fmt::format("line {}: {}", line, what),
                "losses of one law have one unit: convert them, or tell groups apart with "
                "--group-column",
                whole_file(path));
  };
  for (const Observation& row : table.rows) {
    if (row.status == ObservationStatus::diverged) continue;
    const auto [known, fresh] = of_group.try_emplace(row.group, &row);
    if (!fresh && known->second->loss_unit != row.loss_unit)
      refuse(row.line, fmt::format("the loss is in {}, and that of line {} in {}",
                                   in_backticks(row.loss_unit), known->second->line,
                                   in_backticks(known->second->loss_unit)));
    units.insert(row.loss_unit);
  }
  if (units.size() != 1 || units.begin()->empty()) return;
  if (table.loss_unit != "unknown" && table.loss_unit != *units.begin())
    refuse(table.rows.front().line,
           fmt::format("the loss is in {}, and not in {}", in_backticks(*units.begin()),
                       in_backticks(table.loss_unit)));
  table.loss_unit = *units.begin();
}

}  // namespace assay
