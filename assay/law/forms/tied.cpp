// L = E + A N^-alpha + B D^-alpha: one exponent for model and data. Gadre et al. (2024,
// arXiv:2403.08540). ∂L/∂alpha = −A N^-alpha log N − B D^-alpha log D.
#include <cmath>

#include "assay/law/forms/form.h"
#include "assay/law/numeric/kernels.h"

namespace assay {
namespace {

class Tied : public Form {
 public:
  Tied()
      : Form("tied", "E + A N^-alpha + B D^-alpha", "arXiv:2403.08540",
             {LawAxis::model_size, LawAxis::data_size}, 3,
             {{"E", "loss"},
              {"A", "loss N^alpha"},
              {"B", "loss D^alpha"},
              {"alpha", "1", 0.005, 4, log_grid(0.02, 2.5, 40)}}) {}

  int parameter_of(std::size_t k) const override { return k == 0 ? kNone : 0; }
  void basis(const double* theta, const double*, const LawRows& rows, double* out) const override {
    const std::size_t n = rows.count;
    for (std::size_t i = 0; i < n; ++i) out[i] = 1;
    exp_affine(0, -theta[0], rows[LawAxis::model_size], out + n, n);
    exp_affine(0, -theta[0], rows[LawAxis::data_size], out + 2 * n, n);
  }
  void evaluate(const double* parameters, const LawRows& rows, double* value,
                double* gradient) const override {
    const std::size_t n = rows.count;
    basis(parameters + 3, parameters, rows, gradient);
    sum_terms(parameters, rows, gradient, value);
    const double* x = rows[LawAxis::model_size];
    const double* y = rows[LawAxis::data_size];
    for (std::size_t i = 0; i < n; ++i)
      gradient[3 * n + i] =
          -parameters[1] * gradient[n + i] * x[i] - parameters[2] * gradient[2 * n + i] * y[i];
  }
  void change_units(const LawUnits& units, double* parameters) const override {
    parameters[0] *= std::exp(units.log_loss);
    parameters[1] *= std::exp(units.log_loss + parameters[3] * units[LawAxis::model_size]);
    parameters[2] *= std::exp(units.log_loss + parameters[3] * units[LawAxis::data_size]);
  }
};

}  // namespace

FormPointer make_tied() { return std::make_shared<Tied>(); }

}  // namespace assay
