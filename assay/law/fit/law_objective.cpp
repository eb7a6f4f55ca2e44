#include "assay/law/fit/law_objective.h"

#include <algorithm>
#include <cmath>

#include "assay/law/numeric/nonnegative.h"

namespace assay {

LawObjective::LawObjective(const Form& form, const FitRows& rows, double delta)
    : form_(form), delta_(delta) {
  resample(rows, rows.weight);
}

void LawObjective::reserve(std::size_t full) {
  for (const LawAxis axis : form_.axes()) columns_[static_cast<std::size_t>(axis)].resize(full);
  for (auto* column : {&log_loss_, &loss_, &weight_, &highest_, &inverse_square_, &value_,
                       &residual_, &influence_, &row_weight_, &target_})
    column->resize(full);
  gradient_.resize(full * form_.size());
}

void LawObjective::resample(const FitRows& rows, const std::vector<double>& weight) {
  if (value_.size() < padded(rows.count)) reserve(padded(rows.count));
  count_ = 0;
  total_weight_ = 0;
  for (std::size_t i = 0; i < rows.count; ++i) {
    if (!(weight[i] > 0)) continue;
    for (const LawAxis axis : form_.axes()) {
      const auto k = static_cast<std::size_t>(axis);
      columns_[k][count_] = rows.log_column[k][i];
    }
    log_loss_[count_] = rows.log_loss[i];
    highest_[count_] = rows.highest[i];
    weight_[count_] = weight[i];
    total_weight_ += weight[i];
    ++count_;
  }
  rows_.count = padded(count_);
  for (std::size_t i = count_; i < rows_.count; ++i) {
    for (const LawAxis axis : form_.axes()) columns_[static_cast<std::size_t>(axis)][i] = 0;
    log_loss_[i] = highest_[i] = weight_[i] = 0;
  }
  for (const LawAxis axis : form_.axes()) {
    const auto k = static_cast<std::size_t>(axis);
    rows_.log_column[k] = columns_[k].data();
  }
  exp_affine(0, 1, log_loss_.data(), loss_.data(), rows_.count);
  for (std::size_t i = 0; i < rows_.count; ++i)
    inverse_square_[i] = weight_[i] / (loss_[i] * loss_[i]);
}

ResidualPass LawObjective::pass() {
  return {value_.data(),    log_loss_.data(),  weight_.data(), highest_.data(),
          residual_.data(), influence_.data(), rows_.count};
}

double LawObjective::value(const LawVector& parameters) {
  ++evaluations_;
  const std::size_t n = rows_.count;
  form_.basis(parameters.data() + form_.coefficients(), parameters.data(), rows_, gradient_.data());
  for (std::size_t i = 0; i < n; ++i) value_[i] = parameters[0] * gradient_[i];
  for (std::size_t k = 1; k < form_.coefficients(); ++k) {
    const double coefficient = parameters[static_cast<Eigen::Index>(k)];
    const double* term = gradient_.data() + k * n;
    for (std::size_t i = 0; i < n; ++i) value_[i] += coefficient * term[i];
  }
  return robust_sum(pass(), delta_);
}

double LawObjective::value_and_gradient(const LawVector& parameters, LawVector& gradient) {
  ++evaluations_;
  form_.evaluate(parameters.data(), rows_, value_.data(), gradient_.data());
  const double sum = robust_sum(pass(), delta_);
  for (std::size_t j = 0; j < form_.size(); ++j) {
    gradient[static_cast<Eigen::Index>(j)] =
        -dot(influence_.data(), gradient_.data() + j * rows_.count, rows_.count);
  }
  return sum;
}

void LawObjective::project(const double* theta, double* coefficients) {
  const std::size_t terms = form_.coefficients();
  const double* basis[kMostCoefficients] = {};
  for (std::size_t k = 0; k < terms; ++k) basis[k] = gradient_.data() + k * rows_.count;
  const int rounds = form_.coupled() ? 3 : 1;
  for (int round = 0; round < rounds; ++round) {
    double gram[kMostCoefficients * kMostCoefficients], right[kMostCoefficients];
    form_.basis(theta, round > 0 ? coefficients : nullptr, rows_, gradient_.data());
    normal_equations(basis, terms, inverse_square_.data(), loss_.data(), rows_.count, gram, right);
    nonnegative_least_squares(gram, right, terms, coefficients);
    for (std::size_t k = 0; k < terms; ++k)
      coefficients[k] = std::max(coefficients[k], form_.parameters()[k].low);
  }
}

void LawObjective::project_again(const LawVector& parameters, double* coefficients) {
  const std::size_t terms = form_.coefficients(), n = rows_.count;
  const double* slopes[kMostCoefficients] = {};
  for (std::size_t k = 0; k < terms; ++k) slopes[k] = gradient_.data() + k * n;
  for (std::size_t i = 0; i < n; ++i) target_[i] = value_[i] * residual_[i];
  for (std::size_t k = 0; k < terms; ++k) {
    const double coefficient = parameters[static_cast<Eigen::Index>(k)];
    for (std::size_t i = 0; i < n; ++i) target_[i] += coefficient * slopes[k][i];
  }
  reweigh();
  double gram[kMostCoefficients * kMostCoefficients], right[kMostCoefficients];
  normal_equations(slopes, terms, row_weight_.data(), target_.data(), n, gram, right);
  nonnegative_least_squares(gram, right, terms, coefficients);
}

// Σ row_weight J Jᵀ of the loss is that of iteratively reweighted least squares of its logarithm.
void LawObjective::reweigh() {
  for (std::size_t i = 0; i < rows_.count; ++i) {
    const double size = std::fabs(residual_[i]);
    row_weight_[i] =
        idle(i) ? 0 : weight_[i] * (size > delta_ ? delta_ / size : 1) / (value_[i] * value_[i]);
  }
}

LawMatrix LawObjective::outer(const std::vector<double>& row_weight) {
  const auto p = static_cast<Eigen::Index>(form_.size());
  LawMatrix out(p, p);
  for (Eigen::Index a = 0; a < p; ++a) {
    for (Eigen::Index b = 0; b <= a; ++b) {
      out(a, b) = out(b, a) = weighted_dot(
          row_weight.data(), gradient_.data() + static_cast<std::size_t>(a) * rows_.count,
          gradient_.data() + static_cast<std::size_t>(b) * rows_.count, rows_.count);
    }
  }
  return out;
}

LawMatrix LawObjective::reweighted_information() {
  reweigh();
  return outer(row_weight_);
}

LawMatrix LawObjective::gradient_covariance() {
  for (std::size_t i = 0; i < rows_.count; ++i) row_weight_[i] = influence_[i] * influence_[i];
  return outer(row_weight_);
}

LawMatrix LawObjective::squared_residuals() {
  for (std::size_t i = 0; i < rows_.count; ++i)
    row_weight_[i] = highest_[i] == 0 ? 0 : weight_[i] * std::pow(residual_[i] / value_[i], 2);
  return outer(row_weight_);
}

LawMatrix LawObjective::information() {
  for (std::size_t i = 0; i < rows_.count; ++i)
    row_weight_[i] = idle(i) ? 0 : weight_[i] / (value_[i] * value_[i]);
  return outer(row_weight_);
}

}  // namespace assay
