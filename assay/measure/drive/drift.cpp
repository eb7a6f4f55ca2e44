// How much branches of one checkpoint go the same way.
#include "assay/tensor/torch.h"

#include "assay/measure/drive/drift.h"

#include <fmt/format.h>

#include "assay/core/error.h"
#include "assay/stats/gram.h"

namespace assay::drive {
namespace {

DisplacementEstimate noise_of(const Tensor& rows) {
  const Tensor wide = rows.to(torch::kFloat64);
  const Tensor gram = wide.matmul(wide.t()).contiguous();
  return displacement_noise({gram.data_ptr<double>(), static_cast<size_t>(gram.numel())},
                            rows.size(0));
}

}  // namespace

std::vector<Drift> parameter_drift(const std::vector<Tensor>& displacements,
                                   const std::vector<Group>& groups) {
  const Tensor rows = torch::stack(displacements);
  std::vector<Drift> out;
  for (const Group& group : groups)
    out.push_back({group.name, noise_of(rows.slice(1, group.begin, group.end))});
  return out;
}

std::vector<Drift> feature_drift(const std::vector<Tensor>& displacements, const Tensor& start) {
  const Tensor spread = start.std(0, true);
  const Tensor scale = torch::where(spread > 0, spread.reciprocal(), torch::zeros_like(spread));
  std::vector<Tensor> rows;
  for (const Tensor& displacement : displacements) rows.push_back((displacement * scale).flatten());
  return {{"features", noise_of(torch::stack(rows))}};
}

void require_different(const std::vector<Tensor>& displacements) {
  for (size_t r = 0; r < displacements.size(); ++r)
    for (size_t s = 0; s < r; ++s)
      if (torch::equal(displacements[r], displacements[s]))
        throw Error("measure.branches",
                    fmt::format("branches {} and {} ended in the same place, bit for bit", s, r),
                    "give every branch draws and a data order of its own; at a learning rate of 0 "
                    "branches teach nothing");
}

}  // namespace assay::drive
