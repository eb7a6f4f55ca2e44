// The function that a fit minimises: Σ weight · ρ(log L − log L̂), with its gradient.
#pragma once

#include <Eigen/Core>

#include "assay/law/fit/fit_rows.h"
#include "assay/law/numeric/kernels.h"

namespace assay {

using LawVector = Eigen::Matrix<double, Eigen::Dynamic, 1, 0, kMostParameters, 1>;
using LawMatrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, kMostParameters, kMostParameters>;

/// Value and gradient by the SUM over rows. Memory is taken when it is made and when rows are
/// replaced by more of them, never in an evaluation. Refers to the form.
class LawObjective {
 public:
  /// delta: Huber's, in units of log loss; ∞ = least squares.
  LawObjective(const Form& form, const FitRows& rows, double delta);

  const Form& form() const { return form_; }
  std::size_t size() const { return form_.size(); }
  double delta() const { return delta_; }
  void set_delta(double delta) { delta_ = delta; }

  /// Takes from `rows` those with a positive `weight` [rows.count]: a resample.
  void resample(const FitRows& rows, const std::vector<double>& weight);

  double value(const LawVector& parameters);
  double value_and_gradient(const LawVector& parameters, LawVector& gradient);
  /// Coefficients that minimise Σ weight (1 − L̂/L)² at θ, by non-negative least squares.
  void project(const double* theta, double* coefficients);
  /// The same by reweighted least squares of log L, linearised at the last evaluation with a
  /// gradient, which was at `parameters`.
  void project_again(const LawVector& parameters, double* coefficients);

  // Of the last evaluation with a gradient. J = ∂ log L̂/∂parameters. An upper bound above L̂ pulls
  // at nothing: it has no part in these.
  /// Σ weight min(1, δ/|r|) J Jᵀ: the matrix of iteratively reweighted least squares.
  LawMatrix reweighted_information();
  /// Σ weight² ψ(r)² J Jᵀ: what the gradient's covariance is estimated by.
  LawMatrix gradient_covariance();
  /// Σ weight J Jᵀ.
  LawMatrix information();
  /// Σ weight r² J Jᵀ over measured rows.
  LawMatrix squared_residuals();
  /// log L − log L̂, [count]; of an upper bound at most zero.
  std::span<const double> residuals() const { return {residual_.data(), count_}; }
  const LawRows& rows() const { return rows_; }
  /// Padded, as rows() are: losses in the units of the rows, weights (of padding 0), and 0 for an
  /// upper bound, else ∞.
  const std::vector<double>& losses() const { return loss_; }
  const std::vector<double>& padded_weights() const { return weight_; }
  const std::vector<double>& highest() const { return highest_; }
  std::span<const double> column(LawAxis axis) const { return {rows_[axis], count_}; }
  double total_weight() const { return total_weight_; }
  std::size_t evaluations() const { return evaluations_; }

 private:
  void reserve(std::size_t full);
  ResidualPass pass();
  bool idle(std::size_t row) const { return highest_[row] == 0 && residual_[row] == 0; }
  void reweigh();
  LawMatrix outer(const std::vector<double>& row_weight);

  const Form& form_;
  double delta_;
  std::size_t count_ = 0, evaluations_ = 0;
  double total_weight_ = 0;
  LawRows rows_;
  std::array<std::vector<double>, kLawAxes> columns_;
  std::vector<double> log_loss_, loss_, weight_, highest_, inverse_square_;
  std::vector<double> value_, residual_, influence_, gradient_, row_weight_, target_;
};

}  // namespace assay
