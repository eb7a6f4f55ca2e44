// What the report knows of a study: every trial of the list, whatever became of it.
#pragma once

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "assay/core/records.h"
#include "assay/law/study/study_laws.h"

namespace assay::report {

inline constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

struct Trial {
  std::string id{}, name{};
  std::string objective{};  // its name in the study
  std::string preset{};
  std::string data{};       // its name in the study
  std::string data_kind{};  // world | webdataset | text | …
  int64_t width = 0, depth = 0, seed = 0;
  std::map<std::string, std::string>
      settings{};  // the configuration, "train.learning_rate" -> "0.001"
  std::map<std::string, std::string> environment{};  // environment.json, spelled alike

  int64_t planned_steps = 0;
  double planned_flops = 0;
  double parameters = 0;

  std::string status{};  // completed | diverged | failed | timed_out | unfinished | missing
  std::string reason{};
  int64_t last_step = 0;
  std::vector<Measurement> measurements{};
  std::map<std::string, std::vector<size_t>> by_quantity{};  // "meter/quantity" -> measurements
  std::vector<std::string> notes{};
  std::optional<Ledger> ledger{};     // the last one
  double seconds = kMissing;          // from timing.jsonl: outside the bit-identity promise
  std::vector<std::string> damage{};  // torn or unreadable files

  /// Its numbers enter means over seeds: it completed, or has not ended yet and so has nothing
  /// against it.
  bool counts() const { return status == "completed" || status == "unfinished"; }
};

struct StudyRecords {
  std::string name{}, question{}, toml{};
  std::vector<Trial> trials{};           // in the order of study.json
  std::vector<std::string> overrides{};  // `--set` of the last run
  std::vector<std::string> warnings{};   // of resolving the study
  std::vector<std::string> strangers{};  // ids of trial folders that are not in the list
  std::vector<OutcomeLaws> laws{};       // empty where no law could be fitted
};

/// Tolerates missing and damaged trial folders, and says so in Trial::damage.
/// Throws Error store.read if there is no study.json, store.corrupt if it cannot be parsed.
StudyRecords read_study_records(const std::filesystem::path& study);

}  // namespace assay::report
