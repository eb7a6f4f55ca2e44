// What was run and what became of it: nothing that failed is hidden.
#include <fmt/format.h>

#include "assay/report/tables/tables.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

const std::vector<std::pair<std::string, std::string>> kStatuses = {
    {"completed", "completed"}, {"diverged", "diverged"},     {"failed", "failed"},
    {"timed_out", "timed out"}, {"unfinished", "unfinished"}, {"missing", "missing"}};

std::string status_words(const std::string& status) {
  for (const auto& [key, words] : kStatuses)
    if (key == status) return words;
  return status;
}

std::string tone(const std::string& status) {
  if (status == "completed") return "good";
  return status == "unfinished" || status == "missing" ? "quiet" : "bad";
}

TableCell count_cell(int64_t count, const std::string& tone) {
  return {fmt::format("{}", count), static_cast<double>(count), count == 0 ? "quiet" : tone};
}

std::string spent(const ReportData& data) {
  double training = 0, measuring = 0;
  for (const Trial& trial : data.study.trials)
    if (trial.ledger) {
      training += trial.ledger->training_flops;
      measuring += trial.ledger->measuring_flops;
    }
  return fmt::format(
      "{}; {} spent on training so far and {} on measuring. A row is an objective at a size; its "
      "trials "
      "differ by seed alone.",
      count_text(data.study.trials.size(), "trial"), flops_text(training), flops_text(measuring));
}

}  // namespace

Table study_card(const ReportData& data) {
  Table table{.id = "card",
              .title = "What was run",
              .caption = spent(data),
              .columns = {"objective", "data", "size", "seeds", "planned FLOPs each"}};
  for (const auto& [key, words] : kStatuses) table.columns.push_back(words);
  for (const auto& size : data.sizes)
    for (const Arm* arm : data.all_arms_of(size)) {
      std::vector<std::string> seeds;
      for (const Trial* trial : arm->trials) seeds.push_back(fmt::format("{}", trial->seed));
      std::vector<TableCell> row = {
          {arm->label()},
          {arm->data},
          {data.size_text(size)},
          {join(seeds, ", ")},
          {flops_text(arm->trials.front()->planned_flops), arm->trials.front()->planned_flops, ""}};
      for (const auto& [key, words] : kStatuses) {
        int64_t count = 0;
        for (const Trial* trial : arm->trials) count += trial->status == key;
        row.push_back(count_cell(count, tone(key)));
      }
      table.rows.push_back(std::move(row));
    }
  return table;
}

Table trial_table(const ReportData& data) {
  Table table{.id = "trials",
              .title = "Every trial",
              .columns = {"trial", "id", "status", "step", "of", "why"}};
  for (const Trial& trial : data.study.trials)
    table.rows.push_back({{trial.name},
                          {trial.id},
                          {status_words(trial.status), kMissing, tone(trial.status)},
                          {fmt::format("{}", trial.last_step), double(trial.last_step), ""},
                          {fmt::format("{}", trial.planned_steps), double(trial.planned_steps), ""},
                          {trial.reason}});
  return table;
}

}  // namespace assay::report
