// The noise view of a subject: what the meter records and `assay measure` refines.
#pragma once

#include <optional>

#include "assay/measure/function_space.h"
#include "assay/measure/objective_gradients.h"
#include "assay/stats/adaptive_noise.h"
#include "assay/stats/level_parts.h"
#include "assay/train/subject.h"

namespace assay {

struct SnrPlan {
  static constexpr int64_t kFewestUnits = 8;  // the estimates need 5; below 8 intervals say nothing

  bool heldout = false;  // whose gradients; false = training examples
  int64_t units = 64, examples_per_unit = 4;
  int64_t draws = 2;  // 1 = only the total: no data and objective part, share or headroom
  /// Of the whole loss: noises or masks for each draw's level. From 2 on the objective's variance
  /// is split into what the level makes and what the pattern makes; needs 2 draws.
  int64_t patterns = 1;
  int64_t level_units = 32, band_units = 32;  // 0 = not resolved
  int64_t aligned_units = 0;                  // for all levels on the same examples; 0 = not
  int64_t function_units = 0;                 // in function space; 0 = not
  int64_t function_inputs = 32;               // held-out inputs whose features are watched
  bool layers_of_parts = false;               // levels and bands by layer too
  int64_t max_memory_mb = 512;                // for gradients
};

/// What one measurement is about: the whole loss, one noise level, all bands, all levels on the
/// same examples with one draw each, which tells how their gradients stand to each other, or the
/// whole loss in function space.
struct SnrAspect {
  std::string label;         // "level", "band", "levels" or "function"; empty = the whole loss
  std::optional<int> level;  // the bin of "level"
  int64_t units = 0;
  std::string note;  // why there are fewer units than planned; empty if there are not

  bool by_band() const { return label == "band"; }
  bool side_by_side() const { return label == "levels"; }
  bool by_part() const { return by_band() || side_by_side(); }
  bool in_function_space() const { return label == "function"; }
};

/// How far to go on from the first block. Absent = that block alone.
struct SnrTarget {
  NoiseQuantity of = NoiseQuantity::snr;
  double half_width = 0.1;  // relative, of the trunk's
  double flops = 0;         // most to spend, the first block excepted
};

struct SnrResult {
  std::vector<Measurement> records{};
  int64_t units = 0, examples_per_unit = 0, draws = 0, patterns = 1;  // of a block
  int64_t blocks = 0, looks = 0;
  double half_width = 0;   // of the target's quantity; infinite = unresolved
  std::string stopped_by;  // half_width | budget | data; "plan" without a target
  double flops = 0;
};

/// 1/(√v + ε): the metric in which AdamW's step is steepest descent. [P]; undefined before 1% of
/// the run.
Tensor adam_weight(const Subject::State& state);

class SnrMeasurement {
 public:
  /// A coupled objective is measured in units of the training batch, without levels and bands: a
  /// smaller batch is another objective. subject must outlive it.
  SnrMeasurement(Subject& subject, const SnrPlan& plan);

  /// The whole loss, then each level and the bands that the plan and the objective have. Throws
  /// Error measure.too_few_units where memory or data do not allow kFewestUnits.
  std::vector<SnrAspect> aspects() const;

  SnrResult measure(Weights weights, const SnrAspect& aspect,
                    const std::optional<SnrTarget>& asked = std::nullopt);
  double flops_per_block(const SnrAspect& aspect) const;

  /// The first block of the whole loss, for noise_difference(): of another trial's examples and
  /// draws where the two are to be compared in pairs. Charges subject.flops_spent.
  std::vector<NoiseUnits> units(Weights weights, int64_t count, std::span<const int64_t> examples,
                                Seed draws);

  /// Ids of a block, unit by unit. The same examples and draws for all weights: the difference
  /// between two sets is not one of luck.
  std::vector<int64_t> examples(const SnrAspect& aspect, int64_t block) const;
  Seed draws(const SnrAspect& aspect) const;

  const SnrPlan& plan() const { return plan_; }  // as fitted to the objective
  ObjectiveGradients& source() { return source_; }
  const Dataset& data() const { return plan_.heldout ? subject_.heldout() : subject_.train(); }

 private:
  SnrAspect fitted(SnrAspect aspect) const;
  GradientSource& source_of(const SnrAspect& aspect);
  /// At the weights that are loaded.
  FunctionSpace function_space();
  std::vector<int64_t> function_inputs() const;
  int64_t parts_of(const SnrAspect& aspect) const;
  int64_t draws_of(const SnrAspect& aspect) const {
    return aspect.side_by_side() ? 1 : plan_.draws;
  }
  /// Levels side by side have one draw, and inside one level there are no levels to keep.
  int64_t patterns_of(const SnrAspect& aspect) const {
    return aspect.label.empty() ? plan_.patterns : 1;
  }
  Seed seed() const;
  void add_records(const NoiseRow& row, Weights weights, const SnrAspect& aspect,
                   SnrResult& result) const;
  void add_products(const PartProducts& products, const std::string& group, Weights weights,
                    const SnrAspect& aspect, SnrResult& result) const;

  Subject& subject_;
  SnrPlan plan_;
  ObjectiveGradients source_;
  LevelParts levels_;
};

}  // namespace assay
