// A LibTorch objective on a data set as a source of gradients.
#pragma once

#include "assay/data/dataset.h"
#include "assay/train/flat_parameters.h"

namespace assay {

/// Gradients of the training loss at the weights that are loaded into `parameters`. Parts are the
/// frequency bands of the objective: the share of a band is the sum over its cells of w_c · mean_b
/// loss / N_term, and a part "other" holds cells without a band, so that the parts add up to the
/// training loss.
class ObjectiveGradients : public GradientSource {
 public:
  /// Most parts that one retained forward pass is differentiated for; with more, parts() is empty.
  static constexpr int64_t kMostParts = 6;

  /// All three must outlive the source. The unit of a coupled objective is a batch of the training
  /// size: ask for that many examples at once.
  ObjectiveGradients(Objective& objective, FlatParameters& parameters, const Dataset& data);

  int64_t size() const override { return parameters_.size(); }
  std::vector<Group> groups() const override { return parameters_.groups(); }
  void gradient(std::span<const int64_t> examples, const Draw& draw, std::span<float> out) override;
  std::vector<std::string> parts() const override { return parts_; }
  void gradient_by_part(std::span<const int64_t> examples, const Draw& draw,
                        std::span<float> out) override;
  int level_bins() const override { return objective_.level_bins(); }
  double flops_per_example() const override { return objective_.flops_per_example(); }

 private:
  /// Weight of each cell in the loss over the examples of its term, zero outside the part. [C]
  Tensor part_weights(const std::vector<double>& weights, size_t part) const;

  Objective& objective_;
  FlatParameters& parameters_;
  const Dataset& data_;
  std::vector<Cell> cells_;
  std::map<std::string, double> targets_;
  std::vector<std::string> parts_;
  std::vector<size_t> part_of_cell_;  // [C]
};

}  // namespace assay
