// An objective made of terms over one trunk.
#pragma once

#include "assay/objective/term.h"

namespace assay {

/// Submodules "trunk", then "head" with one module per term, then "teacher" with the target of each
/// term that has state: trained parameters lie in this order.
class Composition : public Objective {
 public:
  /// resolved: what resolve_objective returns.
  Composition(const Node& resolved, const ModelConfig& model, const DataShape& data, Seed init);

  std::vector<Cell> cells() const override;
  std::map<std::string, std::string> units() const override;
  LossMap losses(const Batch& batch, const Draw& draw) override;
  LossMap compared_losses(const Batch& batch, const Draw& draw,
                          const Comparing& comparing) override;
  std::map<std::string, double> expected_targets() const override;
  std::vector<double> weights(double progress) const override;
  bool coupled() const override;
  void after_step(int64_t step, int64_t steps) override;
  std::vector<std::pair<std::string, Tensor>> state() override;
  double flops_per_example() const override;
  double target_flops_per_example() const override;
  int64_t tokens_per_example() const override;
  int level_bins() const override;
  std::vector<std::string> bands() const override;
  std::vector<Tensor> features(const Batch& batch) override;
  double feature_flops_per_example() const override;
  Trunk& trunk() override { return *trunk_; }

 private:
  Setting setting_;
  std::vector<Term> terms_;
  std::shared_ptr<Trunk> trunk_;
};

/// The terms of a resolved objective without their predictors; refuses what make no sense together.
std::vector<Term> make_terms(const Node& resolved, const Setting& setting);
/// Throws Error config.patch.
Setting make_setting(const Node& resolved, const ModelConfig& model, const DataShape& data,
                     Seed init);

}  // namespace assay
