#include "assay/law/fit/bounded_step.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace assay {

namespace {

// Of the sum, per squared unit of a parameter. Less is rounding: a change by a whole unit (of a
// coefficient: the mean loss) would move no log loss by 1e-10.
constexpr double kLeastCurvature = 1e-20;

}  // namespace

using Index = Eigen::Index;

LawVector BoundedPoint::clamped(LawVector point) const {
  for (Index j = 0; j < point.size(); ++j) point[j] = std::clamp(point[j], low(j), high(j));
  return point;
}

bool BoundedPoint::fixed(Index j) const {
  return (held >> j & 1u) != 0 || (at[j] <= low(j) && gradient[j] >= 0) ||
         (at[j] >= high(j) && gradient[j] <= 0);
}

void solve_free(const LawMatrix& matrix, const LawVector& side, double ridge, const bool* held,
                LawVector& out) {
  Index chosen[kMostParameters], count = 0;
  for (Index j = 0; j < side.size(); ++j)
    if (!held[j]) chosen[count++] = j;
  LawMatrix reduced(count, count);
  LawVector right(count);
  double scale[kMostParameters];  // to a unit diagonal
  for (Index a = 0; a < count; ++a) scale[a] = 1 / std::sqrt(matrix(chosen[a], chosen[a]));
  for (Index a = 0; a < count; ++a) {
    double sum = -side[chosen[a]];
    for (Index j = 0; j < side.size(); ++j)
      if (held[j]) sum -= matrix(chosen[a], j) * out[j];
    right[a] = sum * scale[a];
    for (Index b = 0; b <= a; ++b)  // LDLT reads the lower half
      reduced(a, b) = matrix(chosen[a], chosen[b]) * (scale[a] * scale[b]);
    reduced(a, a) += ridge;
  }
  const LawVector solved = reduced.ldlt().solve(right);
  for (Index a = 0; a < count; ++a) out[chosen[a]] = solved[a] * scale[a];
}

LawVector bounded_step(const BoundedPoint& point, const LawMatrix& matrix, double ridge) {
  const Index size = point.at.size();
  bool held[kMostParameters] = {};
  for (Index j = 0; j < size; ++j) held[j] = point.fixed(j) || !(matrix(j, j) > kLeastCurvature);
  LawVector step = LawVector::Zero(size);
  for (Index round = 0; round <= size; ++round) {
    solve_free(matrix, point.gradient, ridge, held, step);
    bool crossed = false;
    for (Index j = 0; j < size; ++j) {
      if (held[j]) continue;
      const double bounded =
          std::clamp(step[j], point.low(j) - point.at[j], point.high(j) - point.at[j]);
      if (bounded == step[j]) continue;
      step[j] = bounded;
      held[j] = crossed = true;
    }
    if (!crossed) break;
  }
  return step;
}

}  // namespace assay
