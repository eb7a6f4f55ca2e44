// One term of an objective: views, corrupt, encode, predict, target, metric, weight, regularise.
#pragma once

#include "assay/objective/registry.h"

namespace assay {

/// T and P of the data. Throws Error config.patch if the image side is not divisible by the patch.
TokenShape token_shape(const ModelConfig& model, const DataShape& data);

/// What the trunk reads of a view when nothing is corrupted: [B, T, P] patches in `options`, or [B,
/// T] bytes. A view may be smaller than the data. Throws Error tensor.shape.
Tensor clean_tokens(const Batch& view, const Setting& setting, const at::TensorOptions& options);

class Term {
 public:
  /// Builds all parts but the predictor, and refuses combinations that make no sense:
  /// config.modality, config.no_masked_tokens, config.loss_space, config.leak, config.predict,
  /// config.views, config.collapse, config.model.
  Term(std::string name, const Node& resolved, Setting setting);

  /// Builds the predictor; what is trained besides the trunk.
  std::shared_ptr<nn::Module> make_head(const std::shared_ptr<Trunk>& trunk);
  /// What follows the trained networks; holds no trained parameter.
  std::shared_ptr<Target> target() const { return target_; }

  /// Columns of this term's loss map: levels outermost, bands within; then regularisers.
  const std::vector<Cell>& cells() const { return cells_; }
  LossMap losses(const Batch& batch, const Draw& draw, const Comparing& comparing) const;
  std::vector<double> weights(double progress) const;

  const std::string& name() const { return name_; }
  std::map<std::string, std::string> units() const;  // by term of a cell
  std::vector<std::string> bands() const { return metric_->bands(); }
  int64_t level_bins() const { return corrupt_->level_bins(); }
  bool causal() const { return corrupt_->causal(); }
  bool coupled() const;
  std::map<std::string, double> expected_targets() const;  // per example, by term of a cell
  int64_t tokens() const;       // per example at which the trunk runs while training
  double flops() const;         // of one training pass of one example
  double target_flops() const;  // of its targets alone

 private:
  struct Regulariser {
    std::string name;
    std::shared_ptr<Regularise> part;
    std::string cell(const std::string& component) const {
      return component.empty() ? name : name + "." + component;
    }
  };
  void build_parts(const Node& resolved);
  void check(const Node& resolved) const;
  void check_metric(const Node& resolved) const;
  void check_collapse(const Node& resolved) const;
  int64_t encoded_tokens(int64_t side) const;  // of a view of this side
  int64_t target_tokens() const;               // per comparison
  std::vector<int64_t> view_tokens() const;    // T of each view
  View encode(const Batch& batch, const Draw& draw, bool predictions) const;
  LossMap compared(const std::vector<View>& views, const Comparing& comparing) const;
  LossMap spread_loss(const View& view, const Tensor& prediction, const Tensor& target) const;
  Compared describe(const View& view, const Tensor& target) const;

  std::string name_, where_;
  Setting setting_;
  std::shared_ptr<Views> views_;
  std::shared_ptr<Corrupt> corrupt_;
  std::shared_ptr<Target> target_;
  std::shared_ptr<Metric> metric_;
  std::shared_ptr<Weight> weight_;
  std::vector<Regulariser> regularisers_;
  Node predict_table_;
  std::vector<Cell> cells_;

  std::shared_ptr<Trunk> trunk_;
  std::shared_ptr<Predict> predict_;
  Tensor mask_token_;             // [D] in place of masked tokens that stay in the sequence
  std::vector<Tensor> matrices_;  // of trunk and predictor, for penalties on parameters
};

}  // namespace assay
