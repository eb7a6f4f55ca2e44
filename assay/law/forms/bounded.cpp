// Bounded metrics, such as error rates: M4 of Alabdulmohsin et al. (2022, arXiv:2209.06640),
// (L − E)/(L0 − L)^a ∝ x^-c, between the floor E and the level L0 of an untrained model. With
// s = (L − E)/(L0 − E) this is L = E (1 − s) + L0 s, s/(1 − s)^a = (x/x0)^-c: linear in E and L0.
// For s = σ(t) and u = log s − a log(1 − s) = −c log(x/x0): ds/du = 1/(1/s + a/(1 − s)),
// ∂s/∂a = log(1 − s) ds/du, ∂u/∂c = −log(x/x0), ∂u/∂log x0 = c.
#include <cmath>

#include "assay/law/forms/form.h"

namespace assay {
namespace {

double softplus(double t) { return std::fmax(t, 0) + std::log1p(std::exp(-std::fabs(t))); }

// The t with log σ(t) − a log σ(−t) = u: increasing, its slope between 1 and a, so Newton settles.
double logit_of_share(double u, double a) {
  double t = u > 0 ? u / a : u;
  for (int i = 0; i < 60; ++i) {
    const double s = 1 / (1 + std::exp(-t));
    const double step = (u + softplus(-t) - a * softplus(t)) / (1 - s + a * s);
    t += step;
    if (std::fabs(step) <= 1e-15 * (1 + std::fabs(t))) break;
  }
  return t;
}

class Bounded : public Form {
 public:
  explicit Bounded(LawAxis axis)
      : Form("bounded", "E (1 - s) + L0 s, s/(1 - s)^a = (x/exp(log_x0))^-c",
             "arXiv:2209.06640, M4", {axis}, 2,
             {{"E", "loss"},
              {"L0", "loss"},
              {"c", "1", 0.005, 8, log_grid(0.05, 2.5, 10)},
              {"log_x0", "log x", -10, 10, even_grid(-6, 6, 9)},
              {"a", "1", 0.05, 20, log_grid(0.3, 4, 5)}}),
        axis_(axis) {}

  void basis(const double* theta, const double*, const LawRows& rows, double* out) const override {
    const double* x = rows[axis_];
    for (std::size_t i = 0; i < rows.count; ++i) {
      const double t = logit_of_share(-theta[0] * (x[i] - theta[1]), theta[2]);
      out[i] = 1 / (1 + std::exp(t));
      out[rows.count + i] = 1 / (1 + std::exp(-t));
    }
  }
  void evaluate(const double* parameters, const LawRows& rows, double* value,
                double* gradient) const override {
    const std::size_t n = rows.count;
    basis(parameters + 2, parameters, rows, gradient);
    sum_terms(parameters, rows, gradient, value);
    const double* x = rows[axis_];
    const double range = parameters[1] - parameters[0], a = parameters[4];
    for (std::size_t i = 0; i < n; ++i) {
      const double rest = gradient[i], share = gradient[n + i];
      const double slope = range * share * rest / (rest + a * share);
      gradient[2 * n + i] = -slope * (x[i] - parameters[3]);
      gradient[3 * n + i] = slope * parameters[2];
      gradient[4 * n + i] = rest > 0 ? slope * std::log(rest) : 0;
    }
  }
  void change_units(const LawUnits& units, double* parameters) const override {
    parameters[0] *= std::exp(units.log_loss);
    parameters[1] *= std::exp(units.log_loss);
    parameters[3] += units[axis_];
  }

 private:
  LawAxis axis_;
};

}  // namespace

FormPointer make_bounded(LawAxis axis) { return std::make_shared<Bounded>(axis); }

}  // namespace assay
