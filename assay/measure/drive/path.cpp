// The way of a branch, taken apart.
#include "assay/tensor/torch.h"

#include "assay/measure/drive/path.h"

#include <algorithm>
#include <cmath>

namespace assay::drive {

PathByTerm::PathByTerm(Stepper& stepper) : stepper_(stepper) {
  for (const Cell& cell : stepper.objective().cells())
    if (std::find(terms_.begin(), terms_.end(), cell.term) == terms_.end())
      terms_.push_back(cell.term);
  for (auto& [name, parameter] : trained_parameters(stepper.objective()))
    trained_.push_back(parameter);
  const Tensor zero = torch::zeros_like(stepper.flat().values());
  for (size_t i = 0; i < terms_.size() + 2; ++i)
    shares_.push_back({zero.clone(), zero.clone(), zero.clone(), zero.clone()});
  Share& momentum = shares_[terms_.size()];
  momentum.moment.copy_(stepper.optimizer().first_moments());
  momentum.displacement.copy_(stepper.flat().values() - stepper.averaged());
}

void PathByTerm::losses(const Objective& objective, const LossMap& map, double progress,
                        double share) {
  if (terms_.size() == 1) return;  // the gradient of the step is the term's
  const std::vector<Cell> cells = objective.cells();
  const auto targets = objective.expected_targets();
  const std::vector<double> weights = objective.weights(progress);
  const Tensor by_cell = map.loss.mean(0);
  for (size_t t = 0; t < terms_.size(); ++t) {
    std::vector<double> own(cells.size());
    for (size_t c = 0; c < cells.size(); ++c)
      if (cells[c].term == terms_[t]) own[c] = share * weights[c] / targets.at(terms_[t]);
    const Tensor loss = by_cell.dot(torch::tensor(own, torch::kFloat64).to(by_cell.options()));
    if (!loss.requires_grad()) continue;
    const auto gradients = torch::autograd::grad({loss}, trained_, {}, true, false, true);
    const torch::NoGradGuard no_gradient;
    const auto& entries = stepper_.flat().entries();
    for (size_t i = 0; i < trained_.size(); ++i)
      if (gradients[i].defined())
        shares_[t]
            .gradient.slice(0, entries[i].begin, entries[i].end)
            .add_(gradients[i].reshape({-1}));
  }
}

void PathByTerm::before_update(double gradient_norm) {
  const torch::NoGradGuard no_gradient;
  before_ = stepper_.flat().values().clone();
  if (terms_.size() == 1) shares_.front().gradient.copy_(stepper_.flat().gradients());
  const double clip = stepper_.config().clip_norm;
  if (clip > 0 && gradient_norm > clip)
    for (Share& share : shares_) share.gradient.mul_(clip / gradient_norm);
}

void PathByTerm::after_update(double rate, double weight) {
  const torch::NoGradGuard no_gradient;
  const TrainConfig& config = stepper_.config();
  const auto step = static_cast<double>(stepper_.optimizer().steps());
  const Tensor denominator =
      (stepper_.optimizer().second_moments() / (1 - std::pow(config.beta2, step)))
          .sqrt_()
          .add_(config.epsilon);
  const double pace = rate / (1 - std::pow(config.beta1, step));
  for (size_t i = 0; i + 1 < shares_.size(); ++i) {
    Share& share = shares_[i];
    share.moment.mul_(config.beta1).add_(share.gradient, 1 - config.beta1);
    share.displacement.sub_(share.moment / denominator * pace);
    share.gradient.zero_();
  }
  for (const auto& entry : stepper_.flat().entries())
    if (entry.decays)
      shares_.back()
          .displacement.slice(0, entry.begin, entry.end)
          .sub_(before_.slice(0, entry.begin, entry.end), rate * config.weight_decay);
  for (Share& share : shares_) share.averaged.lerp_(share.displacement, weight);
}

std::vector<PathPart> PathByTerm::parts() const {
  std::vector<PathPart> parts;
  for (size_t i = 0; i < shares_.size(); ++i) {
    const std::string name = i < terms_.size()    ? terms_[i]
                             : i == terms_.size() ? "momentum"
                                                  : "weight decay";
    parts.push_back({name, shares_[i].averaged});
  }
  return parts;
}

}  // namespace assay::drive
