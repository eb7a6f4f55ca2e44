// How to make this study again: commands, environment, data, seeds, ids.
#include <fmt/format.h>

#include <map>
#include <set>

#include "assay/report/tables/tables.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

/// Values in the order of first appearance, with how many trials have each.
struct Tally {
  std::vector<std::pair<std::string, int>> values;

  void add(const std::string& value) {
    for (auto& [known, count] : values)
      if (known == value) {
        ++count;
        return;
      }
    values.emplace_back(value, 1);
  }
};

std::string shell_word(const std::string& word) {
  if (word.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._=/-") ==
      std::string::npos)
    return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::vector<std::string> reproduce_commands(const ReportData& data) {
  const std::string folder = shell_word(data.study.name.empty() ? "study" : data.study.name);
  std::string run = fmt::format("assay run study.toml -o {}", folder);
  for (const std::string& assignment : data.study.overrides)
    run += fmt::format(" --set {}", shell_word(assignment));
  return {run, fmt::format("assay report {}", folder)};
}

Table environment_table(const ReportData& data) {
  Table table{.id = "environment",
              .title = "Environment",
              .caption =
                  "From environment.json of every trial. Where trials differ, each value is shown "
                  "with its number of trials: bits may then differ between them.",
              .columns = {"what", "value"}};
  std::map<std::string, Tally> tallies;
  for (const Trial& trial : data.study.trials)
    for (const auto& [key, value] : trial.environment) tallies[key].add(value);
  for (const auto& [key, tally] : tallies) {
    std::vector<std::string> words;
    for (const auto& [value, count] : tally.values)
      words.push_back(tally.values.size() == 1
                          ? value
                          : fmt::format("{} ({})", value, count_text(size_t(count), "trial")));
    table.rows.push_back(
        {{key}, {join(words, "; "), kMissing, tally.values.size() > 1 ? "bad" : ""}});
  }
  return table;
}

Table seed_table(const ReportData& data) {
  Table table{.id = "ids",
              .title = "Seeds, ids and parameters",
              .caption = "A trial's id is the hash of everything that determines its training.",
              .columns = {"objective", "size", "seed", "id", "parameters", "steps", "FLOPs"}};
  for (const auto& size : data.sizes)
    for (const Arm* arm : data.all_arms_of(size))
      for (const Trial* trial : arm->trials)
        table.rows.push_back(
            {{arm->label()},
             {data.size_text(size)},
             {fmt::format("{}", trial->seed), double(trial->seed), ""},
             {trial->id},
             {fmt::format("{:.0f}", trial->parameters), trial->parameters, ""},
             {fmt::format("{}", trial->planned_steps), double(trial->planned_steps), ""},
             {flops_text(trial->planned_flops), trial->planned_flops, ""}});
  return table;
}

}  // namespace assay::report
