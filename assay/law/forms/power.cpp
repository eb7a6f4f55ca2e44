// Pure power of one column: L = A x^-c. M1 of Alabdulmohsin et al. (2022, arXiv:2209.06640).
// ∂L/∂A = x^-c, ∂L/∂c = −A x^-c log x. c < 0 (a loss that grows) is allowed, so that least squares
// on log L is ordinary regression.
#include <cmath>

#include "assay/law/forms/form.h"
#include "assay/law/numeric/kernels.h"

namespace assay {
namespace {

class Power : public Form {
 public:
  explicit Power(LawAxis axis)
      : Form("power", "A x^-c", "arXiv:2209.06640, M1", {axis}, 1,
             {{"A", "loss x^c"}, {"c", "1", -4, 4, even_grid(-0.5, 2, 26)}}),
        axis_(axis) {}

  int parameter_of(std::size_t) const override { return 0; }
  void basis(const double* theta, const double*, const LawRows& rows, double* out) const override {
    exp_affine(0, -theta[0], rows[axis_], out, rows.count);
  }
  void evaluate(const double* parameters, const LawRows& rows, double* value,
                double* gradient) const override {
    basis(parameters + 1, parameters, rows, gradient);
    sum_terms(parameters, rows, gradient, value);
    const double* x = rows[axis_];
    for (std::size_t i = 0; i < rows.count; ++i) gradient[rows.count + i] = -value[i] * x[i];
  }
  void change_units(const LawUnits& units, double* parameters) const override {
    parameters[0] *= std::exp(units.log_loss + parameters[1] * units[axis_]);
  }

 private:
  LawAxis axis_;
};

}  // namespace

FormPointer make_power(LawAxis axis) { return std::make_shared<Power>(axis); }

}  // namespace assay
