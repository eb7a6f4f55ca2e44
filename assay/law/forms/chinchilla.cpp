// L = E + A N^-alpha + B D^-beta: approach 3 of Hoffmann et al. (2022, arXiv:2203.15556).
// ∂L/∂alpha = −A N^-alpha log N, ∂L/∂beta = −B D^-beta log D.
#include <cmath>

#include "assay/law/forms/form.h"
#include "assay/law/numeric/kernels.h"

namespace assay {
namespace {

class Chinchilla : public Form {
 public:
  Chinchilla()
      : Form("chinchilla", "E + A N^-alpha + B D^-beta", "arXiv:2203.15556",
             {LawAxis::model_size, LawAxis::data_size}, 3,
             {{"E", "loss"},
              {"A", "loss N^alpha"},
              {"B", "loss D^beta"},
              {"alpha", "1", 0.005, 4, even_grid(0.05, 1.25, 24)},
              {"beta", "1", 0.005, 4, even_grid(0.05, 1.25, 24)}}) {}

  int parameter_of(std::size_t k) const override { return static_cast<int>(k) - 1; }
  void basis(const double* theta, const double*, const LawRows& rows, double* out) const override {
    const std::size_t n = rows.count;
    for (std::size_t i = 0; i < n; ++i) out[i] = 1;
    exp_affine(0, -theta[0], rows[LawAxis::model_size], out + n, n);
    exp_affine(0, -theta[1], rows[LawAxis::data_size], out + 2 * n, n);
  }
  void evaluate(const double* parameters, const LawRows& rows, double* value,
                double* gradient) const override {
    const std::size_t n = rows.count;
    basis(parameters + 3, parameters, rows, gradient);
    sum_terms(parameters, rows, gradient, value);
    const double* x = rows[LawAxis::model_size];
    const double* y = rows[LawAxis::data_size];
    for (std::size_t i = 0; i < n; ++i) {
      gradient[3 * n + i] = -parameters[1] * gradient[n + i] * x[i];
      gradient[4 * n + i] = -parameters[2] * gradient[2 * n + i] * y[i];
    }
  }
  void change_units(const LawUnits& units, double* parameters) const override {
    parameters[0] *= std::exp(units.log_loss);
    parameters[1] *= std::exp(units.log_loss + parameters[3] * units[LawAxis::model_size]);
    parameters[2] *= std::exp(units.log_loss + parameters[4] * units[LawAxis::data_size]);
  }
};

}  // namespace

FormPointer make_chinchilla() { return std::make_shared<Chinchilla>(); }

}  // namespace assay
