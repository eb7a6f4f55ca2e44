// What probes read of one set of weights.
#include "assay/tensor/torch.h"

#include "assay/measure/drive/reading.h"

#include <fmt/format.h>

#include <set>

#include "assay/measure/probe/features.h"
#include "assay/noise/noise.h"

namespace assay::drive {
namespace {

const Seed kStream = Seed(0).child("drive");

/// Rows of each part of the split permuted among themselves.
Tensor permuted_rows(const probe::Task& task) {
  std::vector<int64_t> rows;
  for (const int64_t size : {task.train, task.validation, task.test}) {
    const auto begin = static_cast<int64_t>(rows.size());
    for (int64_t i = 0; i < size; ++i)
      rows.push_back(begin + permuted(kStream.child("shuffle"), size, i));
  }
  return torch::tensor(rows);
}

/// A readout scored on what it was fitted on reads noise as knowledge.
void require_disjoint(const probe::ProbeData& data) {
  const std::set<int64_t> different(data.ids.begin(), data.ids.end());
  if (different.size() != data.ids.size())
    throw Error("measure.leak",
                fmt::format("{} images would be used twice by the readouts",
                            data.ids.size() - different.size()),
                "fit, choose and test readouts on different held-out images");
}

}  // namespace

Reading read(Objective& objective, const Dataset& heldout, const probe::ProbeData& data,
             int64_t dimension, bool shuffled) {
  require_disjoint(data);
  const Tensor all = probe::pooled_layers(objective, heldout, data.ids);
  const probe::Reduction reduction(data.task.train_rows(all), dimension, probe::Scaling::each,
                                   kStream.child("reduction"));
  const std::vector<probe::FeatureSet> features = {{"all layers", reduction.apply(all)}};
  const probe::Readout readout = probe::linear_readout(features, data.task, {});
  Reading out;
  out.log2_probability = readout.test.log2_probability;
  out.reduction = reduction;
  out.weights = readout.weights;
  out.pooled = data.task.test_rows(all).clone();
  out.flops =
      objective.feature_flops_per_example() * static_cast<double>(data.ids.size()) + readout.flops;
  if (shuffled) {
    probe::Task other = data.task;
    other.labels = data.task.labels.index_select(0, permuted_rows(data.task));
    const probe::Readout null = probe::linear_readout(features, other, {});
    out.shuffled = null.test.log2_probability;
    out.flops += null.flops;
  }
  return out;
}

}  // namespace assay::drive
