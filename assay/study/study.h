// From a study file to its trials: grid, defaults, static checks, ids.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "assay/core/node.h"
#include "assay/measure/meter.h"
#include "assay/objective/objective.h"
#include "assay/train/config.h"

namespace assay {

struct Trial {
  std::string id;      // 16 hex digits: hash of what determines training
  std::string name;    // "mae/width=64/seed=0"
  std::string config;  // JSON text of trials/<id>/config.json
  int64_t steps = 0;
  double flops = 0;  // of training
  double flops_per_step = 0;
  int64_t parameters = 0;        // trained, trunk and head
  int64_t trunk_parameters = 0;  // of them
};

struct Study {
  std::string name, question;
  std::string base;  // absolute folder of the study file: relative data paths start there
  std::string toml;  // as given
  std::vector<std::string> assignments;  // --set
  std::vector<Trial> trials;
  std::vector<std::string> warnings;
};

/// Reads, expands and checks everything that can be checked without reading pixels or text and
/// without training a step. Throws Error config.* with line, column and remedy.
Study resolve_study(const std::string& path, const std::vector<std::string>& assignments);

/// {"format", "name", "question", "base", "toml", "set", "trials": […], "warnings"}: study.json.
nlohmann::json to_json(const Study& study);

/// One trial's config.json, read back and ready to build from.
struct ResolvedTrial {
  std::string name;
  Node objective, data;
  ModelConfig model;
  TrainConfig train;
  DataShape shape;
  std::vector<double> fractions;  // of the budget, at which meters fire
  double checkpoint_seconds = 30, time_limit_seconds = 0;
  struct NamedMeter {
    std::string name;
    std::unique_ptr<Meter> meter;
  };
  std::vector<NamedMeter> meters;
};
/// base: the folder that relative data paths start from.
ResolvedTrial read_trial(const Node& config, const std::string& base);

}  // namespace assay
