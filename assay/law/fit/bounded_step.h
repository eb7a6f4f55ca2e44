// Steps of a quadratic model within the bounds of a form's parameters.
#pragma once

#include "assay/law/fit/law_objective.h"

namespace assay {

/// Where a minimiser stands: steps from here stay within the bounds.
struct BoundedPoint {
  const Form& form;
  unsigned held = 0;  // bit j: parameter j does not move
  LawVector at, gradient;

  double low(Eigen::Index j) const { return form.parameters()[static_cast<std::size_t>(j)].low; }
  double high(Eigen::Index j) const { return form.parameters()[static_cast<std::size_t>(j)].high; }
  LawVector clamped(LawVector point) const;
  /// Held by its bound, where the gradient points outwards, or by the caller.
  bool fixed(Eigen::Index j) const;
};

/// Solves matrix · out = −side over the parameters not `held`; the others of `out` stay as they are
/// and act through the matrix. Scaled to a unit diagonal, so that the ridge is relative.
void solve_free(const LawMatrix& matrix, const LawVector& side, double ridge, const bool* held,
                LawVector& out);

/// The step to the minimum of gradientᵀ s + sᵀ (matrix + ridge) s / 2 within the bounds. Parameters
/// that are fixed, or without curvature (of a term whose coefficient is zero), do not move. What a
/// step would carry over its bound goes to the bound, and the rest is solved again with it.
LawVector bounded_step(const BoundedPoint& point, const LawMatrix& matrix, double ridge);

}  // namespace assay
