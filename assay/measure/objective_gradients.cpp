// A LibTorch objective on a data set as a source of gradients.
#include "assay/tensor/torch.h"

#include "assay/measure/objective_gradients.h"

#include <fmt/format.h>

namespace assay {

ObjectiveGradients::ObjectiveGradients(Objective& objective, FlatParameters& parameters,
                                       const Dataset& data)
    : objective_(objective),
      parameters_(parameters),
      data_(data),
      cells_(objective.cells()),
      targets_(objective.expected_targets()) {
  const std::vector<std::string> bands = objective.bands();
  const bool unbanded =
      std::any_of(cells_.begin(), cells_.end(), [](const Cell& cell) { return cell.band < 0; });
  const auto count = static_cast<int64_t>(bands.size()) + (unbanded ? 1 : 0);
  if (bands.empty() || count > kMostParts) return;
  parts_ = bands;
  if (unbanded) parts_.push_back("other");
  for (const Cell& cell : cells_)
    part_of_cell_.push_back(cell.band < 0 ? bands.size() : static_cast<size_t>(cell.band));
}

void ObjectiveGradients::gradient(std::span<const int64_t> examples, const Draw& draw,
                                  std::span<float> out) {
  const LossMap map = objective_.losses(data_.get(examples), draw);
  parameters_.differentiate(training_loss(objective_, map, draw.progress), false, out);
}

Tensor ObjectiveGradients::part_weights(const std::vector<double>& weights, size_t part) const {
  Tensor out = torch::zeros({static_cast<int64_t>(cells_.size())}, torch::kFloat64);
  for (size_t c = 0; c < cells_.size(); ++c)
    if (part_of_cell_[c] == part)
      out[static_cast<int64_t>(c)] = weights[c] / targets_.at(cells_[c].term);
  return out;
}

void ObjectiveGradients::gradient_by_part(std::span<const int64_t> examples, const Draw& draw,
                                          std::span<float> out) {
  if (parts_.empty()) return gradient(examples, draw, out);
  const LossMap map = objective_.losses(data_.get(examples), draw);
  const Tensor by_cell = map.loss.mean(0);
  const std::vector<double> weights = objective_.weights(draw.progress);
  const auto size = static_cast<size_t>(parameters_.size());
  for (size_t part = 0; part < parts_.size(); ++part) {
    const Tensor loss = by_cell.dot(part_weights(weights, part).to(by_cell.dtype()));
    parameters_.differentiate(loss, part + 1 < parts_.size(), out.subspan(part * size, size));
  }
}

}  // namespace assay
