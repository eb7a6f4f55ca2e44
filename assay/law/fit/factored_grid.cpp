#include "assay/law/fit/factored_grid.h"

#include <algorithm>

#include "assay/law/numeric/nonnegative.h"

namespace assay {

bool FactoredGrid::possible(const Form& form) {
  for (std::size_t k = 0; k < form.coefficients(); ++k)
    if (form.parameter_of(k) == Form::kSeveral) return false;
  return true;
}

FactoredGrid::FactoredGrid(const LawObjective& objective)
    : objective_(objective), rows_(objective.rows().count) {
  const Form& form = objective.form();
  for (std::size_t k = 0; k < form.coefficients(); ++k) {
    const int parameter = form.parameter_of(k);
    const std::size_t values =
        parameter < 0 ? 1
                      : form.parameters()[form.coefficients() + static_cast<std::size_t>(parameter)]
                            .grid.size();
    terms_.push_back(
        {parameter, values, std::vector<double>(values * rows_), std::vector<double>(values)});
  }
  fill_columns();
  fill_products();
}

// All parameters walk their grids at once: each φ_k meets every value of its own.
void FactoredGrid::fill_columns() {
  const Form& form = objective_.form();
  const std::size_t count = form.coefficients();
  std::vector<double> basis(count * rows_), theta(form.size() - count);
  std::size_t longest = 0;
  for (const Term& term : terms_) longest = std::max(longest, term.values);
  for (std::size_t v = 0; v < longest; ++v) {
    for (std::size_t j = 0; j < theta.size(); ++j) {
      const auto& grid = form.parameters()[count + j].grid;
      theta[j] = grid[std::min(v, grid.size() - 1)];
    }
    form.basis(theta.data(), nullptr, objective_.rows(), basis.data());
    for (std::size_t k = 0; k < count; ++k) {
      if (v >= terms_[k].values) continue;
      double* column = terms_[k].columns.data() + v * rows_;
      for (std::size_t i = 0; i < rows_; ++i)
        column[i] = basis[k * rows_ + i] / objective_.losses()[i];
    }
  }
}

void FactoredGrid::fill_products() {
  const double* weight = objective_.padded_weights().data();
  products_.resize(terms_.size() * terms_.size());
  for (std::size_t k = 0; k < terms_.size(); ++k) {
    Term& one = terms_[k];
    for (std::size_t v = 0; v < one.values; ++v)
      for (std::size_t i = 0; i < rows_; ++i)
        one.right[v] += weight[i] * one.columns[v * rows_ + i];
    for (std::size_t l = 0; l <= k; ++l) {
      const Term& other = terms_[l];
      auto& table = products_[k * terms_.size() + l];
      table.resize(one.values * other.values);
      for (std::size_t v = 0; v < one.values; ++v)
        for (std::size_t w = 0; w < other.values; ++w)
          if (one.parameter != other.parameter || v == w)
            table[v * other.values + w] = weighted_dot(weight, one.columns.data() + v * rows_,
                                                       other.columns.data() + w * rows_, rows_);
    }
  }
}

double FactoredGrid::value(const std::size_t* at) {
  const std::size_t count = terms_.size();
  const double* columns[kMostCoefficients] = {};
  double gram[kMostCoefficients * kMostCoefficients], right[kMostCoefficients];
  double coefficients[kMostCoefficients];
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t v = terms_[k].index(at);
    columns[k] = terms_[k].columns.data() + v * rows_;
    right[k] = terms_[k].right[v];
    for (std::size_t l = 0; l <= k; ++l)
      gram[k * count + l] = gram[l * count + k] =
          products_[k * count + l][v * terms_[l].values + terms_[l].index(at)];
  }
  nonnegative_least_squares(gram, right, count, coefficients);
  return ratio_sum(columns, coefficients, count, objective_.padded_weights().data(),
                   objective_.highest().data(), rows_, objective_.delta());
}

}  // namespace assay
