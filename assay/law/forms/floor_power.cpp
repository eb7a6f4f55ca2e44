// Floor and power of one column: L = E + A x^-c. Henighan et al. (2020, arXiv:2010.14701); M2 of
// Alabdulmohsin et al. (2022, arXiv:2209.06640), fitted to log L, not to log(L − E), whose
// objective is smallest at E = 0 on most curves. ∂L/∂c = −A x^-c log x.
#include <cmath>

#include "assay/law/forms/form.h"
#include "assay/law/numeric/kernels.h"

namespace assay {
namespace {

class FloorPower : public Form {
 public:
  explicit FloorPower(LawAxis axis)
      : Form("floor_power", "E + A x^-c", "arXiv:2010.14701", {axis}, 2,
             {{"E", "loss"}, {"A", "loss x^c"}, {"c", "1", 0.005, 4, log_grid(0.01, 3, 48)}}),
        axis_(axis) {}

  int parameter_of(std::size_t k) const override { return k == 0 ? kNone : 0; }
  void basis(const double* theta, const double*, const LawRows& rows, double* out) const override {
    for (std::size_t i = 0; i < rows.count; ++i) out[i] = 1;
    exp_affine(0, -theta[0], rows[axis_], out + rows.count, rows.count);
  }
  void evaluate(const double* parameters, const LawRows& rows, double* value,
                double* gradient) const override {
    const std::size_t n = rows.count;
    basis(parameters + 2, parameters, rows, gradient);
    sum_terms(parameters, rows, gradient, value);
    const double* x = rows[axis_];
    for (std::size_t i = 0; i < n; ++i)
      gradient[2 * n + i] = -parameters[1] * gradient[n + i] * x[i];
  }
  void change_units(const LawUnits& units, double* parameters) const override {
    parameters[0] *= std::exp(units.log_loss);
    parameters[1] *= std::exp(units.log_loss + parameters[2] * units[axis_]);
  }

 private:
  LawAxis axis_;
};

}  // namespace

FormPointer make_floor_power(LawAxis axis) { return std::make_shared<FloorPower>(axis); }

}  // namespace assay
