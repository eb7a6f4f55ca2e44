// What the study cost.
#include <fmt/format.h>

#include <cmath>

#include "assay/report/tables/tables.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

struct Cost {
  double training = 0, measuring = 0, examples = 0, unique = 0, tokens = 0, seconds = 0;
  int64_t ledgers = 0, timed = 0;

  void add(const Trial& trial) {
    if (trial.ledger) {
      training += trial.ledger->training_flops;
      measuring += trial.ledger->measuring_flops;
      examples += static_cast<double>(trial.ledger->examples);
      unique += static_cast<double>(trial.ledger->unique_examples);
      tokens += static_cast<double>(trial.ledger->tokens);
      ++ledgers;
    }
    if (std::isfinite(trial.seconds)) {
      seconds += trial.seconds;
      ++timed;
    }
  }
};

TableCell count_cell(double count) { return {fmt::format("{:.0f}", count), count, ""}; }

std::vector<TableCell> row_of(const std::string& name, const std::string& size, size_t trials,
                              const Cost& cost) {
  const TableCell missing{"missing: no ledger recorded", kMissing, "quiet"};
  std::vector<TableCell> row = {{name}, {size}, count_cell(static_cast<double>(trials))};
  if (cost.ledgers == 0) {
    row.insert(row.end(), 6, missing);
  } else {
    const double share = cost.measuring / (cost.training + cost.measuring);
    row.push_back({flops_text(cost.training), cost.training, ""});
    row.push_back({flops_text(cost.measuring), cost.measuring, ""});
    row.push_back({percent_text(share), share, ""});
    row.push_back(count_cell(cost.examples));
    row.push_back(count_cell(cost.unique));
    row.push_back(count_cell(cost.tokens));
  }
  row.push_back(cost.timed == 0 ? TableCell{"missing: no timing recorded", kMissing, "quiet"}
                                : TableCell{seconds_text(cost.seconds), cost.seconds, ""});
  return row;
}

}  // namespace

Table cost_table(const ReportData& data) {
  Table table{
      .id = "cost",
      .title = "What it cost",
      .caption =
          "Sums over trials, those that failed included. FLOPs are counted by passes and "
          "are the same on every machine; seconds are not: they come from timing.jsonl, the "
          "only file outside the bit-identity promise.",
      .columns = {"objective", "size", "trials", "training", "measuring", "measuring share",
                  "examples", "unique examples", "tokens", "seconds"}};
  Cost total;
  for (const auto& size : data.sizes)
    for (const Arm* arm : data.all_arms_of(size)) {
      Cost cost;
      for (const Trial* trial : arm->trials) {
        cost.add(*trial);
        total.add(*trial);
      }
      table.rows.push_back(row_of(arm->label(), data.size_text(size), arm->trials.size(), cost));
    }
  table.rows.push_back(row_of("all", "", data.study.trials.size(), total));
  return table;
}

}  // namespace assay::report
