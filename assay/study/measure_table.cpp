// The [measure] table: which meters, with which options, at which fractions of the budget.
#include "assay/study/measure_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace assay {

MeasureTable read_measure(const Node& table) {
  using namespace declare;
  std::vector<Option> declared = {reals("at", std::vector<double>{0, 0.01, 0.04, 0.16, 0.4, 1},
                                        closed(0, 1),
                                        "fractions of the budget at which every meter fires")};
  for (const MeterEntry& entry : meter_entries())
    declared.push_back(any(entry.name, entry.summary));
  const Options options(table, declared, "measure");

  MeasureTable out;
  out.effective = options.effective();
  out.fractions = options.reals("at");
  std::sort(out.fractions.begin(), out.fractions.end());
  out.fractions.erase(std::unique(out.fractions.begin(), out.fractions.end()), out.fractions.end());
  for (const MeterEntry& entry : meter_entries()) {
    Node given;
    given.value = Node::Table{};
    if (const Node* found = table.find(entry.name)) {
      if (const bool* on = std::get_if<bool>(&found->value)) {
        if (!*on) continue;
      } else {
        given = *found;
      }
    } else if (!entry.by_default) {
      continue;
    }
    const Options own(given, entry.options, "measure." + entry.name);
    out.effective.table()[entry.name] = own.effective();
    out.meters.push_back({entry.name, entry.make(own)});
  }
  return out;
}

}  // namespace assay
