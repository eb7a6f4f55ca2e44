// Where to start: coefficients projected out at every point of a grid over the other parameters.
#pragma once

#include "assay/law/fit/law_objective.h"

namespace assay {

struct GridStart {
  LawVector parameters;  // in the units of the rows
  double objective = 0;
};

/// The grid of a form's parameters θ. At each of its points the coefficients come from non-negative
/// least squares (variable projection, Golub and Pereyra 1973), and the objective is evaluated
/// there with the δ it has.
class StartGrid {
 public:
  explicit StartGrid(const Form& form);

  /// Up to `count` starts, best first: local minima of the grid, then points at least three grid
  /// steps from those taken.
  std::vector<GridStart> starts(LawObjective& objective, std::size_t count);

 private:
  void theta_at(std::size_t point, double* theta) const;
  bool local_minimum(std::size_t point) const;
  std::size_t distance(std::size_t a, std::size_t b) const;  // in grid steps, largest coordinate

  const Form& form_;
  std::vector<std::size_t> stride_, length_;  // per θ
  std::vector<double> value_;                 // [points]
  std::vector<std::size_t> order_;
};

}  // namespace assay
