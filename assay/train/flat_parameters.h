// All parameters and all gradients of an objective as two flat buffers.
#pragma once

#include "assay/objective/objective.h"
#include "assay/stats/group_layout.h"

namespace assay {

/// Those that require a gradient, by name, in the order trunk, head. Teachers do not. A weight that
/// stands in two places is one parameter, under its first name: twice in the gradient it would
/// count as signal twice.
std::vector<std::pair<std::string, Tensor>> trained_parameters(Objective& objective);

/// Re-seats the trained parameters of an objective as views into one buffer, and their gradients
/// into another, in the order trunk, head. Norms, averages, checkpoints and Gram matrices are then
/// loops over spans. Never call zero_grad() on the optimiser: by default it drops the gradients,
/// and the views with them.
class FlatParameters {
 public:
  /// Throws Error internal.parameter_order if trunk and head are not contiguous ranges.
  explicit FlatParameters(Objective& objective);
  FlatParameters(const FlatParameters&) = delete;
  FlatParameters& operator=(const FlatParameters&) = delete;

  int64_t size() const { return values_.numel(); }
  Tensor values() const { return values_; }        // [P] dtype of the parameters
  Tensor gradients() const { return gradients_; }  // [P]
  std::span<float> value_span() const;             // REQUIRES float32 on the CPU
  std::span<float> gradient_span() const;
  /// gradients() = gradient of a scalar loss; what was there is overwritten. autograd::grad hands
  /// over its buffers, where backward() would add them to zeroed ones: two passes over memory less.
  void differentiate(const Tensor& loss, bool keep_graph = false);
  /// The same into out [P]; gradients() stay as they are.
  void differentiate(const Tensor& loss, bool keep_graph, std::span<float> out);
  /// sum += gradient of the loss, and its squared norms by group of the layout, in the same pass
  /// over each parameter's own buffer; gradients() stay as they are. sum [P], squared_norms
  /// [groups]. REQUIRES a layout of groups().
  void accumulate(const Tensor& loss, const GroupLayout& layout, std::span<float> sum,
                  std::span<double> squared_norms);

  struct Entry {
    std::string name;  // "trunk.layers.0.qkv.weight"
    std::vector<int64_t> shape;
    int64_t begin = 0, end = 0;
    bool decays = false;  // matrices decay, biases and norms do not
  };
  const std::vector<Entry>& entries() const { return entries_; }
  /// trunk, head, layer.0, layer.1, …
  const std::vector<Group>& groups() const { return groups_; }

 private:
  Tensor values_, gradients_;
  std::vector<Tensor> parameters_, views_;  // of the objective; of gradients_
  std::vector<Entry> entries_;
  std::vector<Group> groups_;
};

}  // namespace assay
