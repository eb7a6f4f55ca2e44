// Reads a study folder: what `assay status` and `assay report` know about a study.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "assay/core/records.h"

namespace assay {

/// One {"kind":"step"} line. Numbers that are missing or null read as NaN.
struct StepRecord {
  int64_t step = 0;
  double loss = 0;  // the weighted training loss since the last such line, in the objective's unit
  double learning_rate = 0;
  double flops = 0;  // spent on training so far
};

/// One trial, as far as it has come. Reading never fails for a trial that is missing, running or
/// torn: what was odd stands in `problems`.
struct TrialFolder {
  std::string id, name;
  std::filesystem::path folder;
  bool in_study = true;  // false: left from an earlier form of the study
  /// waiting (no folder or nothing in it) | running (locked now) | stopped (begun, can be resumed)
  /// | completed | diverged | failed | timed_out
  std::string status = "waiting";
  std::string running_on;  // "host pid" while running

  // Planned, from study.json; 0 for a trial outside the study.
  int64_t steps = 0;
  double flops = 0;
  double parameters = 0;        // trained, trunk and head
  double trunk_parameters = 0;  // of them; 0 in folders written before this was counted

  std::shared_ptr<const nlohmann::json> config;       // never null; {} if unknown
  std::shared_ptr<const nlohmann::json> environment;  // environment.json; {} if absent
  std::optional<Outcome> outcome;

  std::vector<StepRecord> losses;  // with ReadDepth::progress only the last one
  std::vector<Measurement> measurements;
  std::vector<std::string> notes;
  std::optional<Ledger> ledger;  // the last one
  int64_t step = 0;              // reached, by outcome, records or timing
  double seconds = 0;            // of all processes that worked on it (timing.jsonl)
  double steps_per_second = 0;   // the last that timing.jsonl tells; 0 = none

  std::vector<std::string> problems;  // torn last lines, broken files

  bool ended() const { return outcome.has_value(); }
};

struct StudyFolder {
  std::filesystem::path folder;
  std::string name, question;
  std::string base;                    // the folder of the study file, from which data paths start
  std::string toml;                    // study.toml as given
  std::vector<std::string> overrides;  // --set assignments of the last run
  std::vector<std::string> warnings;   // of resolving the study
  std::string running_on;              // "host pid" of the `assay run` that holds the folder
  std::vector<TrialFolder> trials;     // in the study's order; those outside it last, by id
};

enum class ReadDepth {
  progress,  // outcomes and the ends of the logs: a few kB per trial, for `assay status`
  full,      // every record
};

/// Throws Error store.read if there is no study.json, store.corrupt if it is not one.
StudyFolder read_study(const std::filesystem::path& folder, ReadDepth depth);

/// One trial folder by itself; fills what does not come from study.json.
TrialFolder read_trial_folder(const std::filesystem::path& folder, ReadDepth depth);

/// The last heldout_loss per target of all cells together, averaged weights if measured; nothing if
/// none.
std::optional<double> last_heldout_loss(const TrialFolder& trial);

/// The last `lines` lines of log.txt that say something: a failed worker's last words. Valid UTF-8.
std::string last_words(const std::filesystem::path& trial_folder, int lines = 3);

}  // namespace assay
