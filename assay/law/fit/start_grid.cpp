#include "assay/law/fit/start_grid.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "assay/law/fit/factored_grid.h"

namespace assay {

StartGrid::StartGrid(const Form& form) : form_(form) {
  std::size_t points = 1;
  for (std::size_t j = form.coefficients(); j < form.size(); ++j) {
    stride_.push_back(points);
    length_.push_back(form.parameters()[j].grid.size());
    points *= length_.back();
  }
  value_.resize(points);
  order_.resize(points);
}

void StartGrid::theta_at(std::size_t point, double* theta) const {
  for (std::size_t j = 0; j < length_.size(); ++j) {
    const auto& grid = form_.parameters()[form_.coefficients() + j].grid;
    theta[j] = grid[point / stride_[j] % length_[j]];
  }
}

bool StartGrid::local_minimum(std::size_t point) const {
  for (std::size_t j = 0; j < length_.size(); ++j) {
    const std::size_t k = point / stride_[j] % length_[j];
    if (k > 0 && value_[point - stride_[j]] < value_[point]) return false;
    if (k + 1 < length_[j] && value_[point + stride_[j]] < value_[point]) return false;
  }
  return true;
}

std::size_t StartGrid::distance(std::size_t a, std::size_t b) const {
  std::size_t out = 0;
  for (std::size_t j = 0; j < length_.size(); ++j) {
    const std::size_t x = a / stride_[j] % length_[j], y = b / stride_[j] % length_[j];
    out = std::max(out, x > y ? x - y : y - x);
  }
  return out;
}

std::vector<GridStart> StartGrid::starts(LawObjective& objective, std::size_t count) {
  LawVector at(static_cast<Eigen::Index>(form_.size()));
  const auto solve = [&](std::size_t point) {
    theta_at(point, at.data() + form_.coefficients());
    objective.project(at.data() + form_.coefficients(), at.data());
    return objective.value(at);
  };
  std::optional<FactoredGrid> factored;
  if (FactoredGrid::possible(form_)) factored.emplace(objective);
  std::size_t index[kMostParameters] = {};
  for (std::size_t point = 0; point < value_.size(); ++point) {
    for (std::size_t j = 0; j < length_.size(); ++j) index[j] = point / stride_[j] % length_[j];
    const double value = factored ? factored->value(index) : solve(point);
    value_[point] = std::isfinite(value) ? value : std::numeric_limits<double>::infinity();
  }
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::sort(order_.begin(), order_.end(),
            [&](std::size_t a, std::size_t b) { return value_[a] < value_[b]; });
  std::vector<std::size_t> taken;
  const auto take = [&](bool minima, std::size_t most) {
    for (const std::size_t point : order_) {
      if (taken.size() >= most) return;
      if (minima && !local_minimum(point)) continue;
      const auto near = [&](std::size_t other) {
        return distance(point, other) < (minima ? 1 : 3);
      };
      if (std::none_of(taken.begin(), taken.end(), near)) taken.push_back(point);
    }
  };
  take(true, length_.size() >= 3 ? count / 2 : count);
  take(false, count);
  std::vector<GridStart> out;
  for (const std::size_t point : taken) {
    const double value = solve(point);
    out.push_back({at, value});
  }
  return out;
}

}  // namespace assay
