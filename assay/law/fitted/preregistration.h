// A fit decided upon before its data: options frozen in a file, and predictions to be tested.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "assay/core/error.h"
#include "assay/law/intervals/bootstrap.h"

namespace assay {

/// An option of `assay fit` that decides what is fitted to which rows, and how.
struct FrozenOption {
  std::string name;  // "--n-column"; in the file "n_column"
  bool several = false;
  std::vector<std::string> fallback;  // what it is where nobody gives it
  std::string key() const;
};
/// --form, --loss, --ci, --holdout, --share, --where, the columns, --n-definition, --loss-unit.
const std::vector<FrozenOption>& frozen_options();

/// Whether two spellings of an option mean the same: huber:1e-3 and huber:0.001, conditions in any
/// order.
bool same_setting(const FrozenOption& option, const std::vector<std::string>& one,
                  const std::vector<std::string>& other);

/// A loss foretold: of runs at a point, and of a group or any.
struct FrozenPrediction {
  Observation point;   // columns that are not named match any
  LawLimits interval;  // of the loss of a new run
  double value = Observation::kUnknown;
  std::string at() const;  // "N=1e+09,D=2e+10"
};

struct Preregistration {
  std::string path, name, sha256;                            // sha256 of the file's bytes
  std::map<std::string, std::vector<std::string>> settings;  // by FrozenOption::name; all of them
  std::map<std::string, Place> places;                       // of those that stand in the file
  std::vector<FrozenPrediction> predictions;
};

/// The file (TOML):
///   format = 1
///   name = "natural images, mae"                    # optional
///   [fit]                                           # what is not named has its default
///   form = "chinchilla"
///   where = ["loss < 4"]
///   [[prediction]]                                  # optional
///   N = 1e9
///   D = 2e10
///   interval = [2.28, 2.34]                         # of the loss of a new run
///   value = 2.31                                    # optional
///   group = "mae"                                   # optional
/// Throws Error store.read, config.syntax, config.unknown_key, config.type, config.range,
/// config.missing_key, config.value (a form, loss or interval that does not exist), each with its
/// line.
Preregistration read_preregistration(const std::string& path);

/// Throws Error usage.preregistered, at the file's line, if `given` means something else than what
/// the file says of the option, or leaves at its default.
void check_against(const Preregistration& file, const FrozenOption& option,
                   const std::vector<std::string>& given);

/// Text of such a file with every option.
std::string preregistration_text(const std::map<std::string, std::vector<std::string>>& settings);
/// Text of a [[prediction]].
std::string prediction_text(const FrozenPrediction& prediction);

/// What became of a prediction: losses measured at its point, and how many lie in its interval.
struct TestedPrediction {
  FrozenPrediction prediction;
  int64_t rows = 0, inside = 0;
  double mean_log_error = Observation::kUnknown;  // of log value − log loss
};
/// Columns within 1% count as the same point. Upper bounds and diverged rows test nothing.
std::vector<TestedPrediction> test_predictions(const Preregistration& file,
                                               std::span<const Observation> rows);

/// {"file", "name", "sha256", "predictions": [{"at", "group", "interval", "value", "rows",
/// "inside", "mean_log_error"}]}
nlohmann::json to_json(const Preregistration& file, const std::vector<TestedPrediction>& tested);

}  // namespace assay
