// One term of an objective: views, corrupt, encode, predict, target, metric, weight.
#pragma once

#include "assay/objective/registry.h"

namespace assay {

/// T and P of the data. Throws Error config.patch if the image side is not divisible by the patch.
TokenShape token_shape(const ModelConfig& model, const DataShape& data);

/// What the trunk reads of a view when nothing is corrupted: [B, T, P] patches in `options`, or [B,
/// T] bytes. Throws Error tensor.shape if the batch is not what `setting.data` says.
Tensor clean_tokens(const Batch& view, const Setting& setting, const at::TensorOptions& options);

class Term {
 public:
  /// Builds all parts but the predictor, and refuses combinations that make no sense:
  /// config.modality, config.no_masked_tokens, config.loss_space, config.leak, config.predict,
  /// config.model.
  Term(std::string name, const Node& resolved, Setting setting);

  /// Builds the predictor.
  std::shared_ptr<Predict> make_head(Seed init);

  /// Columns of this term's loss map: levels outermost, bands within.
  const std::vector<Cell>& cells() const { return cells_; }
  LossMap losses(Trunk& trunk, const Batch& batch, const Draw& draw) const;
  std::vector<double> weights(double progress) const { return weight_->weights(cells_, progress); }

  const std::string& name() const { return name_; }
  std::string unit() const { return metric_->unit(); }
  std::vector<std::string> bands() const { return metric_->bands(); }
  int64_t level_bins() const { return corrupt_->level_bins(); }
  bool causal() const { return corrupt_->causal(); }
  double expected_targets() const;         // per example
  int64_t tokens() const;                  // per example at which the trunk runs
  double flops(const Trunk& trunk) const;  // of one training pass of one example

 private:
  void check(const std::string& where, const Node& resolved) const;
  int64_t target_tokens() const;  // per view
  LossMap view_losses(Trunk& trunk, const Batch& view, const Draw& draw) const;

  std::string name_;
  Setting setting_;
  std::shared_ptr<Views> views_;
  std::shared_ptr<Corrupt> corrupt_;
  std::shared_ptr<Target> target_;
  std::shared_ptr<Metric> metric_;
  std::shared_ptr<Weight> weight_;
  Node predict_table_;
  std::string where_;
  std::shared_ptr<Predict> predict_;
  std::vector<Cell> cells_;
};

}  // namespace assay
