// Pretraining objectives: from (examples, draw) to a loss per example and per cell.
#pragma once

#include "assay/core/draw.h"
#include "assay/core/records.h"
#include "assay/data/dataset.h"
#include "assay/model/trunk.h"
#include "assay/tensor/torch.h"

namespace assay {

/// Never reduced over examples or cells by the objective.
struct LossMap {
  Tensor loss;     // [B, C] dtype of the parameters: sum over the targets of example b in cell c
  Tensor targets;  // [B, C] same dtype, no gradient: how many scalar targets that sum covers
};

struct Comparing;  // comparing.h

/// Owns submodules "trunk" and "head", whose parameters are trained, and perhaps others, whose
/// parameters do not require a gradient.
class Objective : public nn::Module {
 public:
  virtual ~Objective() = default;

  virtual std::vector<Cell> cells() const = 0;  // C descriptors, in the order of LossMap columns
  /// Of a loss, by term of a cell: "nat", "squared error", …
  virtual std::map<std::string, std::string> units() const = 0;

  /// Row b depends on example b, its replica, the draw and the parameters alone (to 1e-6 of the
  /// mean |loss| of the batch), unless coupled().
  virtual LossMap losses(const Batch& batch, const Draw& draw) = 0;
  /// The same for measurements that look between prediction and metric. Throws Error
  /// objective.comparing where the objective has no such place.
  virtual LossMap compared_losses(const Batch& batch, const Draw& draw, const Comparing& comparing);

  /// Expected number of targets per example of the whole term, by term name; closed form.
  virtual std::map<std::string, double> expected_targets() const = 0;
  /// Weight of each cell in training. [C]
  virtual std::vector<double> weights(double progress) const = 0;
  virtual bool coupled() const { return false; }
  /// Lets teachers follow; `step` steps of `steps` are done.
  virtual void after_step(int64_t step, int64_t steps) {
    static_cast<void>(step), static_cast<void>(steps);
  }
  /// What is neither trained nor constant (teachers, centres), by name: part of a checkpoint. Their
  /// tensors may be written to.
  virtual std::vector<std::pair<std::string, Tensor>> state() { return {}; }

  /// FLOPs of one training pass per example, by passes (Ledger).
  virtual double flops_per_example() const = 0;
  /// Of the targets alone, per example: Comparing::predictions = false.
  virtual double target_flops_per_example() const { return flops_per_example() / 3; }
  /// Positions per example at which the trunk runs while training.
  virtual int64_t tokens_per_example() const = 0;
  virtual int level_bins() const = 0;
  virtual std::vector<std::string> bands() const = 0;  // names, lowest first; empty = not resolved

  /// Features of clean, complete examples: embeddings first, then each layer. (L + 1) × [B, T, D].
  /// Attention as in training (causal stays causal). Who only reads holds a NoGradGuard.
  virtual std::vector<Tensor> features(const Batch& batch) = 0;
  /// FLOPs of features() per example, without gradient.
  virtual double feature_flops_per_example() const = 0;

  virtual Trunk& trunk() = 0;
};

/// Σ_term Σ_{c in term} w_c · mean_b loss[b, c] / N_term: independent of how cells are binned.
/// Scalar.
Tensor training_loss(const Objective& objective, const LossMap& map, double progress);
/// The same before the mean over examples. [B]
Tensor example_losses(const Objective& objective, const LossMap& map, double progress);

/// What an objective needs to know of the data.
struct DataShape {
  Modality modality = Modality::image;
  int64_t channels = 3, image_size = 32, window = 64;
  std::vector<Factor> factors = {};  // cardinality 0 = not known before the data is read
};

/// The resolved composition with all defaults: what `assay list preset NAME` prints and a trial
/// stores. objective: the study's [[objective]] table, `preset` plus overrides. Throws Error
/// config.*.
Node resolve_objective(const Node& objective, const ModelConfig& model, const DataShape& data);

/// Builds it; parameters are initialised from `init` alone. Throws Error config.*.
std::shared_ptr<Objective> make_objective(const Node& resolved, const ModelConfig& model,
                                          const DataShape& data, Seed init);

/// Preset names and their TOML, compiled in from presets/.
std::vector<std::string> preset_names();
Node preset(const std::string& name);

/// One registered part, for `assay list parts` and the documentation.
struct PartInfo {
  std::string slot;  // views | corrupt | predict | target | metric | weight | regularise
  std::string name, summary, formula, source;
  std::vector<Option> options;
};
std::vector<PartInfo> part_infos();

}  // namespace assay
