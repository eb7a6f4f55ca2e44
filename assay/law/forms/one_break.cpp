// Smoothly broken power with one break: L = E + B x^-c0 (1 + (x/d)^(1/f))^(-c1 f). Caballero et al.
// (2023, arXiv:2210.14891). The slope is −c0 well below d and −(c0 + c1) well above, the change
// spread over f. With u = (log x − log d)/f and S = log(1 + e^u): log of the power = −c0 log x − c1
// f S, and ∂S/∂u = σ(u). Six parameters: offered from 15 rows on.
#include <cmath>

#include "assay/law/forms/form.h"

namespace assay {
namespace {

double softplus(double t) { return std::fmax(t, 0) + std::log1p(std::exp(-std::fabs(t))); }

class OneBreak : public Form {
 public:
  explicit OneBreak(LawAxis axis)
      : Form("one_break", "E + B x^-c0 (1 + (x/exp(log_d))^(1/f))^(-c1 f)", "arXiv:2210.14891",
             {axis}, 2,
             {{"E", "loss"},
              {"B", "loss x^c0"},
              {"c0", "1", 0, 4, even_grid(0, 1.5, 7)},
              {"c1", "1", -4, 4, even_grid(-1.5, 2.5, 9)},
              {"log_d", "log x", -60, 60, even_grid(-4, 4, 15), true},
              {"f", "1", 0.05, 4, log_grid(0.05, 1.5, 3)}},
             15),
        axis_(axis) {}

  void basis(const double* theta, const double*, const LawRows& rows, double* out) const override {
    const double* x = rows[axis_];
    const double c0 = theta[0], c1 = theta[1], log_d = theta[2], f = theta[3];
    for (std::size_t i = 0; i < rows.count; ++i) {
      out[i] = 1;
      out[rows.count + i] = std::exp(-c0 * x[i] - c1 * f * softplus((x[i] - log_d) / f));
    }
  }
  void evaluate(const double* parameters, const LawRows& rows, double* value,
                double* gradient) const override {
    const std::size_t n = rows.count;
    basis(parameters + 2, parameters, rows, gradient);
    sum_terms(parameters, rows, gradient, value);
    const double* x = rows[axis_];
    const double c1 = parameters[3], f = parameters[5];
    for (std::size_t i = 0; i < n; ++i) {
      const double power = parameters[1] * gradient[n + i];
      const double u = (x[i] - parameters[4]) / f, rise = 1 / (1 + std::exp(-u));
      gradient[2 * n + i] = -power * x[i];
      gradient[3 * n + i] = -power * f * softplus(u);
      gradient[4 * n + i] = power * c1 * rise;
      gradient[5 * n + i] = -power * c1 * (softplus(u) - u * rise);
    }
  }
  void change_units(const LawUnits& units, double* parameters) const override {
    parameters[0] *= std::exp(units.log_loss);
    parameters[1] *= std::exp(units.log_loss + parameters[2] * units[axis_]);
    parameters[4] += units[axis_];
  }

 private:
  LawAxis axis_;
};

}  // namespace

FormPointer make_one_break(LawAxis axis) { return std::make_shared<OneBreak>(axis); }

}  // namespace assay
