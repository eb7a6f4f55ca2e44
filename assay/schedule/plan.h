// From a study file to a study folder that is ready to run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace assay {

struct PlannedTrial {
  std::string id, name;
  int64_t steps = 0;
  double flops = 0;       // of training
  double parameters = 0;  // trunk and head
};

/// A study as the worker resolved it.
struct Plan {
  std::string name, question;
  std::string base;  // absolute: data paths of the study start here
  std::string toml;  // the study file as given
  std::vector<PlannedTrial> trials;
  std::vector<std::string> warnings;
  std::shared_ptr<const nlohmann::json> json;  // the whole answer

  double flops() const;
};

/// Execs `assay-worker resolve`. Throws the Error that the worker found in the study (config.*), or
/// environment.worker if it gives no answer.
Plan plan_study(const std::filesystem::path& worker, const std::string& study,
                const std::vector<std::string>& assignments);

/// Parses the answer of `assay-worker resolve`; throws as above.
Plan plan_from_json(const std::string& text);

/// Brings the folder up to the plan: study.toml and study.json, and config.json of trials that are
/// new. What is there already is kept; nothing is written when nothing changed. The caller holds
/// the folder's lock. Returns what the user should know: trials added, trials no longer in the
/// study, a measuring plan that differs from the one a trial began with.
std::vector<std::string> write_plan(const std::filesystem::path& folder, const Plan& plan,
                                    const std::vector<std::string>& assignments);

/// Forgets the outcome of failed trials, so that they run again from their last checkpoint; returns
/// how many. Nothing else is touched. The caller holds the folder's lock.
int64_t forget_failures(const std::filesystem::path& folder, const Plan& plan);

}  // namespace assay
