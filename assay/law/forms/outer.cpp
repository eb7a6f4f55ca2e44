// Outer exponent: L = E + K (N^-alpha + rho D^-beta)^gamma, the (A N^-alpha + B D^-beta)^gamma + E
// of Beck et al. (xLSTM scaling laws, 2025, arXiv:2510.02228) with A = K^(1/gamma), B = rho A: so
// written K is a coefficient, and ρ is sought as its logarithm. With S = N^-alpha + ρ D^-beta:
// ∂L/∂alpha = −K γ S^(γ−1) N^-alpha log N, ∂L/∂beta = −K γ S^(γ−1) ρ D^-beta log D, ∂L/∂log ρ = K γ
// S^(γ−1) ρ D^-beta, ∂L/∂γ = K S^γ log S.
#include <cmath>

#include "assay/law/forms/form.h"
#include "assay/law/numeric/kernels.h"

namespace assay {
namespace {

class Outer : public Form {
 public:
  Outer()
      : Form("outer", "E + K (N^-alpha + exp(log_rho) D^-beta)^gamma", "arXiv:2510.02228",
             {LawAxis::model_size, LawAxis::data_size}, 2,
             {{"E", "loss"},
              {"K", "loss N^(alpha gamma)"},
              {"alpha", "1", 0.005, 8, log_grid(0.1, 1.6, 6)},
              {"beta", "1", 0.005, 8, log_grid(0.1, 1.6, 6)},
              {"log_rho", "log(D^beta / N^alpha)", -60, 60, even_grid(-3, 3, 7), false, true},
              {"gamma", "1", 0.05, 8, log_grid(0.4, 2.5, 5)}}) {}

  void basis(const double* theta, const double*, const LawRows& rows, double* out) const override {
    const std::size_t n = rows.count;
    double* terms = out + n;
    exp_affine(0, -theta[0], rows[LawAxis::model_size], out, n);
    exp_affine(theta[2], -theta[1], rows[LawAxis::data_size], terms, n);
    for (std::size_t i = 0; i < n; ++i) terms[i] += out[i];
    log_each(terms, terms, n);
    exp_affine(0, theta[3], terms, terms, n);
    for (std::size_t i = 0; i < n; ++i) out[i] = 1;
  }
  void evaluate(const double* parameters, const LawRows& rows, double* value,
                double* gradient) const override {
    const std::size_t n = rows.count;
    basis(parameters + 2, parameters, rows, gradient);
    sum_terms(parameters, rows, gradient, value);
    double *alpha = gradient + 2 * n, *beta = alpha + n, *rho = beta + n, *gamma = rho + n;
    const double *x = rows[LawAxis::model_size], *y = rows[LawAxis::data_size];
    exp_affine(0, -parameters[2], x, alpha, n);
    exp_affine(parameters[4], -parameters[3], y, rho, n);
    for (std::size_t i = 0; i < n; ++i) beta[i] = alpha[i] + rho[i];
    log_each(beta, gamma, n);
    for (std::size_t i = 0; i < n; ++i) {
      const double power = parameters[1] * gradient[n + i];
      const double slope = power * parameters[5] / beta[i];
      gamma[i] *= power;
      alpha[i] *= -slope * x[i];
      rho[i] *= slope;
      beta[i] = -rho[i] * y[i];
    }
  }
  void change_units(const LawUnits& units, double* parameters) const override {
    const double of_model = parameters[2] * units[LawAxis::model_size];
    parameters[0] *= std::exp(units.log_loss);
    parameters[1] *= std::exp(units.log_loss + parameters[5] * of_model);
    parameters[4] += parameters[3] * units[LawAxis::data_size] - of_model;
  }
};

}  // namespace

FormPointer make_outer() { return std::make_shared<Outer>(); }

}  // namespace assay
