// Gradients as the motion that they give to features.
#pragma once

#include "assay/data/dataset.h"
#include "assay/train/flat_parameters.h"

namespace assay {

/// φ(g) = J P g / s: how far a unit step along AdamW's direction P g, P = diag 1/(√v + ε), moves
/// the features of fixed held-out inputs (all layers side by side, mean over tokens), in units of
/// their spread s = √(total variance over the inputs), over √inputs: |φ|² is the mean over inputs.
/// φ is linear in g, so every estimate of gradients is one of motions; parameters that no feature
/// depends on (heads, dead units) do not count, and neither does how the trunk is parameterised.
///
/// J by central differences: a step of kStep of the trunk's length each way. Truncation is of order
/// kStep², rounding about 1e-7/kStep: both below 1e-3 of the motion (a test).
class FunctionSpace : public GradientSource {
 public:
  static constexpr double kStep = 1e-3;

  /// At the weights that are loaded, which gradient() leaves as they were. weight [P] is P's
  /// diagonal. source, objective and parameters must outlive it. A gradient costs two passes of
  /// all inputs more than the source's.
  FunctionSpace(GradientSource& source, Objective& objective, FlatParameters& parameters,
                const Batch& inputs, const Tensor& weight);

  int64_t size() const override { return start_.numel(); }
  std::vector<Group> groups() const override { return {{"trunk", 0, size()}}; }
  void gradient(std::span<const int64_t> examples, const Draw& draw, std::span<float> out) override;

 private:
  Tensor features_at(const Tensor& trunk);

  GradientSource& source_;
  Objective& objective_;
  Batch inputs_;
  Group range_;            // of the trunk
  Tensor trunk_, weight_;  // views of that range
  Tensor trunk_start_, start_;
  std::vector<float> gradient_;
  double spread_ = 0;
};

}  // namespace assay
