// The loops in which a fit spends its time. Lengths are multiples of kLawLanes: callers pad.
#pragma once

#include <cstddef>

namespace assay {

constexpr std::size_t kLawLanes = 8;
constexpr std::size_t padded(std::size_t n) { return (n + kLawLanes - 1) / kLawLanes * kLawLanes; }

/// out_i = exp(offset + slope · x_i), relative error below 4e-16 plus that of the argument;
/// arguments are held within ±700.
void exp_affine(double offset, double slope, const double* x, double* out, std::size_t n);
/// out_i = log x_i for normal x_i > 0, error below 1 ulp. x and out may be the same.
void log_each(const double* x, double* out, std::size_t n);

double dot(const double* a, const double* b, std::size_t n);
double weighted_dot(const double* weight, const double* a, const double* b, std::size_t n);

/// Columns of one evaluation of Σ weight · ρ(residual), residual = log_loss − log value.
struct ResidualPass {
  const double* value;  // predicted loss
  const double* log_loss;
  const double* weight;
  const double* highest;  // residuals above it count as it: 0 for an upper bound, else ∞
  double* residual;       // out
  double* influence;      // out: weight · ρ'(residual) / value
  std::size_t n;
};
/// The sum, with Huber's ρ(r) = r²/2 within δ and δ(|r| − δ/2) beyond; δ = ∞ is least squares.
double robust_sum(const ResidualPass& pass, double delta);

/// Σ weight · ρ(r) with r = 2 (1 − q)/(1 + q) for q = Σ_k c_k columns_k, predicted over true loss:
/// r is −log q within 1% where |r| < .3, and keeps its order beyond. To rank points, without
/// logarithms.
double ratio_sum(const double* const* columns, const double* coefficients, std::size_t terms,
                 const double* weight, const double* highest, std::size_t n, double delta);

/// Gram matrix and right-hand side of weighted least squares on up to three basis functions, each
/// [n]; gram is row-major [terms][terms].
void normal_equations(const double* const* basis, std::size_t terms, const double* weight,
                      const double* target, std::size_t n, double* gram, double* right);

}  // namespace assay
