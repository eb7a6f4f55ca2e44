// Linear readout: softmax regression on pooled features, layer and ridge chosen by validation.
#include "assay/tensor/torch.h"

#include "assay/measure/probe/readout.h"

#include <fmt/format.h>

namespace assay::probe {
namespace {

/// The best reading of each factor so far.
class Best {
 public:
  explicit Best(const Task& task) : task_(task) {}

  /// Keeps what is better on validation; true if any factor gained.
  bool offer(const Tensor& features, const Tensor& weights, const std::string& name) {
    const ClassBlocks& blocks = task_.blocks;
    const Tensor length = code_length(score(logits(task_.validation_rows(features), weights),
                                            task_.validation_rows(task_.labels), blocks));
    const Scores test =
        score(logits(task_.test_rows(features), weights), task_.test_rows(task_.labels), blocks);
    if (!length_.defined()) {
      length_ = length.clone();
      readout.test = test;
      readout.chosen.assign(static_cast<size_t>(blocks.factors()), name);
      readout.weights = weights.clone();
      return true;
    }
    const Tensor better = length.lt(length_);
    length_ = torch::where(better, length, length_);
    readout.test.log2_probability =
        torch::where(better, test.log2_probability, readout.test.log2_probability);
    readout.test.correct = torch::where(better, test.correct, readout.test.correct);
    for (int64_t k = 0; k < blocks.factors(); ++k)
      if (better[k].item<bool>()) {
        const auto i = static_cast<size_t>(k);
        readout.chosen[i] = name;
        // Feature sets of other widths have no place in one matrix of weights.
        if (readout.weights.size(0) == weights.size(0))
          readout.weights.narrow(1, blocks.begin[i], blocks.cardinality[i])
              .copy_(weights.narrow(1, blocks.begin[i], blocks.cardinality[i]));
      }
    return better.any().item<bool>();
  }

  Readout readout;

 private:
  const Task& task_;
  Tensor length_;  // [K] bits on validation
};

}  // namespace

Readout linear_readout(const std::vector<FeatureSet>& candidates, const Task& task,
                       const LinearOptions& options) {
  torch::NoGradGuard no_grad;
  Best best(task);
  const Tensor labels = task.train_rows(task.labels);
  for (const FeatureSet& set : candidates) {
    Tensor weights = null_weights(set.values.size(1), labels, task.blocks);
    if (&set == &candidates.front()) best.offer(set.values, weights, "null model");
    Best along_path(task);  // a later set may gain nothing at first and much further along its path
    along_path.offer(set.values, weights, "null model");
    for (const double ridge : options.ridges) {
      SoftmaxFit fit = fit_softmax(task.train_rows(set.values), labels, task.blocks, weights,
                                   {.ridge = ridge, .max_iterations = options.max_iterations});
      weights = fit.weights;
      best.readout.flops += fit.flops;
      const std::string name = fmt::format("{}, ridge {:g}", set.name, ridge);
      best.offer(set.values, weights, name);
      if (!along_path.offer(set.values, weights, name)) break;
    }
  }
  if (candidates.size() > 1) best.readout.weights = Tensor();
  return std::move(best.readout);
}

}  // namespace assay::probe
