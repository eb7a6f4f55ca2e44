// Non-negative least squares of up to three coefficients, by trying every active set.
#pragma once

#include <cstddef>

namespace assay {

/// Minimises ½ cᵀ G c − rᵀ c over c >= 0 for symmetric positive semidefinite gram [terms][terms]
/// and right [terms], terms <= 3: each of the 2^terms − 1 sets of free coefficients is solved in
/// closed form, and the feasible one with the largest rᵀ c / 2 (the fall of the sum of squares) is
/// kept. Sets whose matrix is singular to rounding are passed over.
void nonnegative_least_squares(const double* gram, const double* right, std::size_t terms,
                               double* coefficients);

}  // namespace assay
