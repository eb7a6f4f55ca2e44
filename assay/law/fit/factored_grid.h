// The values of a start grid where each basis function depends on at most one parameter.
#pragma once

#include "assay/law/fit/law_objective.h"

namespace assay {

/// φ_k is evaluated once for each grid value of its parameter, not once a point, and so are the
/// sums of products that the coefficients' least squares need: a point then costs the solution of
/// three equations and one pass over the rows without exponentials or logarithms.
class FactoredGrid {
 public:
  static bool possible(const Form& form);
  explicit FactoredGrid(const LawObjective& objective);

  /// At the grid's point with value `at[j]` of parameter j: about the objective with coefficients
  /// projected out, for the comparison of points (ratio_sum).
  double value(const std::size_t* at);

 private:
  struct Term {
    int parameter;                // of φ_k, or kNone
    std::size_t values;           // of it
    std::vector<double> columns;  // [values][n], φ_k / L
    std::vector<double> right;    // [values], Σ weight φ_k / L
    std::size_t index(const std::size_t* at) const { return parameter < 0 ? 0 : at[parameter]; }
  };
  void fill_columns();
  void fill_products();

  const LawObjective& objective_;
  std::size_t rows_;
  std::vector<Term> terms_;
  // [k * terms + l], l <= k: Σ weight φ_k φ_l / L², [values of k][values of l]; of terms of one
  // parameter only the diagonal is filled.
  std::vector<std::vector<double>> products_;
};

}  // namespace assay
