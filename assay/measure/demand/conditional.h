// How much of a gradient teaches what the input tells about the target.
#pragma once

#include "assay/measure/objective_gradients.h"
#include "assay/stats/noise_view.h"
#include "assay/train/subject.h"

namespace assay::demand {

/// Row i of B >= 2 takes the target of row i + 1: no row keeps its own. Throws Error
/// measure.shuffle for fewer rows.
Tensor next_row(int64_t batch);
/// Throws Error measure.shuffle where a row would keep the target of its own example.
void require_moved(const Tensor& rows, std::span<const int64_t> examples);

/// Gradient of the training loss in two parts that add up to it: "marginal" is the gradient when
/// every example of a call has the target of another one of the call, under its own input and
/// draw; "conditional" is the rest. A mean over calls on disjoint sets of examples is unbiased for
/// the gradient under independent inputs and targets, because the two are of different examples.
/// What has no target (regularisers) is all marginal.
class ConditionalGradients : public GradientSource {
 public:
  /// All must outlive the source. The objective must not couple examples. rows_of: tests plant
  /// faulty shuffles.
  ConditionalGradients(Objective& objective, FlatParameters& parameters, const Dataset& data,
                       std::function<Tensor(int64_t batch)> rows_of = next_row);

  int64_t size() const override { return parameters_.size(); }
  std::vector<Group> groups() const override { return parameters_.groups(); }
  void gradient(std::span<const int64_t> examples, const Draw& draw,
                std::span<float> out) override {
    own_.gradient(examples, draw, out);
  }
  std::vector<std::string> parts() const override { return {"conditional", "marginal"}; }
  void gradient_by_part(std::span<const int64_t> examples, const Draw& draw,
                        std::span<float> out) override;
  int level_bins() const override { return objective_.level_bins(); }
  double flops_per_example() const override { return 2 * objective_.flops_per_example(); }

 private:
  Objective& objective_;
  FlatParameters& parameters_;
  const Dataset& data_;
  ObjectiveGradients own_;
  std::function<Tensor(int64_t)> rows_of_;
};

struct ConditionalPlan {
  int64_t units = 64, examples_per_unit = 4, draws = 2;
  int64_t max_memory_mb = 512;  // for gradients
};

/// |G_conditional|², |G_marginal|² and the share <G_conditional, G>/|G|² by group, from products of
/// gradients of different units. A coupled objective has records that say why there is none: a
/// shuffled batch is another batch to a loss that compares its examples. Throws Error
/// measure.too_few_units.
std::vector<Measurement> conditional_records(Subject& subject, Weights weights,
                                             const ConditionalPlan& plan);

}  // namespace assay::demand
