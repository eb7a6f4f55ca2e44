#include "assay/law/numeric/nonnegative.h"

#include <algorithm>
#include <cmath>

namespace assay {
namespace {

constexpr double kSingular = 1e-13;  // pivot over diagonal

// No term that is left out would lower the sum: then no other subset does (Karush, Kuhn and
// Tucker).
bool optimal(const double* gram, const double* right, std::size_t terms, unsigned set,
             const double* coefficients) {
  for (std::size_t k = 0; k < terms; ++k) {
    if (set >> k & 1u) continue;
    double slope = -right[k];
    for (std::size_t l = 0; l < terms; ++l) slope += gram[k * terms + l] * coefficients[l];
    if (slope < 0) return false;
  }
  return true;
}

// Solves on the listed indices by Cholesky's factorisation; false where singular or infeasible.
bool solve_subset(const double* gram, const double* right, std::size_t terms,
                  const std::size_t* chosen, std::size_t count, double* out) {
  double factor[3][3], forward[3];
  for (std::size_t a = 0; a < count; ++a) {
    const double* row = gram + chosen[a] * terms;
    double side = right[chosen[a]];
    for (std::size_t b = 0; b <= a; ++b) {
      double sum = row[chosen[b]];
      for (std::size_t k = 0; k < b; ++k) sum -= factor[a][k] * factor[b][k];
      if (a == b) {
        if (!(sum > kSingular * row[chosen[a]])) return false;
        factor[a][a] = std::sqrt(sum);
      } else {
        factor[a][b] = sum / factor[b][b];
        side -= factor[a][b] * forward[b];
      }
    }
    forward[a] = side / factor[a][a];
  }
  for (std::size_t a = count; a-- > 0;) {
    double sum = forward[a];
    for (std::size_t k = a + 1; k < count; ++k) sum -= factor[k][a] * out[k];
    out[a] = sum / factor[a][a];
    if (!(out[a] >= 0)) return false;
  }
  return true;
}

}  // namespace

void nonnegative_least_squares(const double* gram, const double* right, std::size_t terms,
                               double* coefficients) {
  std::fill(coefficients, coefficients + terms, 0.0);
  double best = 0;
  for (unsigned set = (1u << terms) - 1; set > 0; --set) {
    std::size_t chosen[3] = {}, count = 0;
    for (std::size_t k = 0; k < terms; ++k)
      if (set >> k & 1u) chosen[count++] = k;
    double values[3] = {};
    if (!solve_subset(gram, right, terms, chosen, count, values)) continue;
    double fall = 0;
    for (std::size_t k = 0; k < count; ++k) fall += right[chosen[k]] * values[k];
    if (fall > best) {
      best = fall;
      std::fill(coefficients, coefficients + terms, 0.0);
      for (std::size_t k = 0; k < count; ++k) coefficients[chosen[k]] = values[k];
    }
    if (fall == best && optimal(gram, right, terms, set, coefficients)) return;
  }
}

}  // namespace assay
