// A law as a file: what `assay fit` prints and, beside it, what predictions need.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "assay/law/fitted/fitted_law.h"
#include "assay/law/fitted/fitted_region.h"

namespace assay {

/// Of the document that `assay fit` prints, and of the file.
constexpr int kLawFormat = 1;

struct StoredLaw {
  std::string group;    // "" = the table has none
  std::string failure;  // why there is no law; empty = there is one
  FormPointer form;
  std::string loss_unit;
  int64_t rows = 0;
  double flops_per = 6;  // k of C = k N D (allocation.h)
  bool identifiable = false;
  std::vector<std::string> reasons;  // why not
  std::vector<double> parameters;    // [p] of the minimum, in table units, identifiable or not
  /// `kept` is 0 where the law was fitted without resamples, or `failure` says why there are none.
  LawBootstrap draws;
  std::vector<double> noise;  // run_noise
  FittedRegion region;
};

/// Draws and residuals beyond these counts are not kept: a percentile of 10,000 draws has a
/// Monte-Carlo deviation of less than 1% of the interval's width. Of draws the first, which are as
/// good as any; of residuals, evenly spaced order statistics.
constexpr int kMostStoredDraws = 10'000;
constexpr std::size_t kMostStoredNoise = 10'000;

StoredLaw stored_law(const FittedLaw& law, const std::string& loss_unit);
/// Cuts draws and noise to these counts.
void keep_what_is_needed(StoredLaw& law);

/// The text of a law file: `printed`, an object, indented, and in it the key "prediction": for each
/// law {"group", "failure", "form", "axis", "loss_unit", "rows", "flops_per", "identifiable",
/// "reasons", "parameters", "seed", "no_draws" (why there are none, or null), "draws" ([p][draws],
/// nine digits), "noise" (six digits), "ranges", "hull"} on one line (docs/scaling_laws.md).
std::string law_file(const nlohmann::json& printed, const std::vector<StoredLaw>& laws);

/// Throws Error data.missing_file, data.not_a_law (no JSON, or no law in it), data.law_format (of
/// another version).
std::vector<StoredLaw> read_law_file(const std::filesystem::path& path);

/// The law of a group; with an empty name, the only one. Throws Error usage.group (several groups
/// and no name, or an unknown one), law.unusable (the fit failed).
const StoredLaw& law_of_group(const std::vector<StoredLaw>& laws, const std::string& group);

}  // namespace assay
