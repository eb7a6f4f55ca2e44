// The noise view of an objective: where the variance of its gradient comes from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assay/stats/gradient_source.h"
#include "assay/stats/nested_anova.h"

namespace assay {

struct NoisePlan {
  int64_t units = 64;             // m
  int64_t examples_per_unit = 8;  // b; for a coupled objective its training size
  int64_t draws = 2;  // r; of levels, where patterns are drawn for each; 1 = the total only
  /// Homogeneous microbatches: levels inside this bin only.
  std::optional<int> level_bin = std::nullopt;
  bool by_part = false;  // also each of GradientSource::parts()
  /// q patterns (noise, mask) for each of the r levels (noise level, mask rate), r·q gradients a
  /// unit: q >= 2 splits the objective's variance in two, NoiseEstimate::levels.
  int64_t patterns = 1;
  /// N, where the examples are drawn without replacement from N that are all there are.
  std::optional<int64_t> population = std::nullopt;
  /// The examples are the whole population (b = 1), and draw j = 0 … r − 1, which the source sees
  /// as level = pattern = Seed(j), are all draws there are: exact_noise() instead of estimates.
  /// With patterns, draw j has level = Seed(j) and pattern = Seed(0 … q − 1).
  bool exhaustive = false;
};

struct NoiseRow {
  std::string group;   // GradientSource::groups()
  std::string metric;  // "euclidean" or the name given
  std::string part;    // empty = the whole loss
  NoiseEstimate estimate;
};

struct NoiseView {
  std::vector<NoiseRow> rows;     // every group × metric × (whole, parts)
  int64_t gradient_calls = 0;     // of gradient() or gradient_by_part()
  int64_t example_gradients = 0;  // examples × draws: times flops_per_example() = cost of the whole
  int64_t draws = 1;              // r of each example, patterns of a level included
  int64_t parts = 0;              // parts resolved; 0 = not by part

  /// Throws Error stats.row if there is no such row.
  const NoiseEstimate& at(const std::string& group, const std::string& metric = "euclidean",
                          const std::string& part = {}) const;
};

/// examples: units × examples_per_unit distinct ids, unit by unit. Draw j of unit u comes from
/// seed.child(u).child(j). Besides "euclidean", each metric is a diagonal one, e.g. "adam" with
/// weight 1/(√v + ε) frozen before the call.
///
/// Memory: max(1, parts) × (units + 2) × P floats and two gradients more. Without by_part the whole
/// is measured with gradient(); with it the whole is the sum of the parts, so it costs nothing
/// more. Throws Error stats.plan for an impossible plan, stats.examples for a wrong count or a
/// repeated id (repeated examples would count twice what was seen once).
NoiseView measure_noise(GradientSource& source, std::span<const int64_t> examples,
                        const NoisePlan& plan, Seed seed, double progress,
                        const std::vector<DiagonalMetric>& metrics = {});

}  // namespace assay
