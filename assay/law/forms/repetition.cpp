// Repeated data: L = E + A/N'^alpha + B/D'^beta, Muennighoff et al. (2023, arXiv:2305.16264).
// D' = U_D (1 + R_D* (1 − exp(−R_D/R_D*))) with U_D = min(D, U) and R_D = D/U_D − 1 repetitions;
// N' = U_N (1 + R_N* (1 − exp(−R_N/R_N*))) with U_N = min(N, the size that is compute-optimal for
// U_D) and R_N = N/U_N − 1. That size balances the two terms' slopes: alpha A/U_N^alpha = beta
// B/U_D^beta, so log U_N = (log(alpha A/(beta B)) + beta log U_D)/alpha; it makes the basis depend
// on A and B.
//
// With X = U (1 + R* (1 − e)), e = exp(−R/R*), R = x/U − 1:
// ∂X/∂U = 1 + R* (1 − e) − e (1 + R), which vanishes at R = 0, and ∂X/∂R* = U (1 − e − e R/R*).
#include <cmath>

#include "assay/law/forms/form.h"

namespace assay {
namespace {

// A and B at the centre of the table, in units of its mean loss. As A falls to zero so does U_N,
// and A/N'^alpha tends not to zero but to beta B/(alpha U_D^beta): without a least A the sum has an
// infimum there that no law attains.
constexpr double kLeastTerm = 1e-6;

struct Worth {                               // of x units of which U are unique
  double log_value, by_log_unique, by_star;  // log X, ∂log X/∂log U, ∂log X/∂R*
};

Worth worth(double log_x, double log_unique, double star) {
  const double repeats = std::fmax(std::expm1(log_x - log_unique), 0.0);
  const double gone = -std::expm1(-repeats / star), kept = 1 - gone;
  const double factor = 1 + star * gone;
  return {log_unique + std::log(factor), 1 - kept * (1 + repeats) / factor,
          (gone - kept * repeats / star) / factor};
}

class Repetition : public Form {
 public:
  explicit Repetition(bool tied)
      : Form(tied ? "repetition_tied" : "repetition", "E + A N'^-alpha + B D'^-beta",
             "arXiv:2305.16264", {LawAxis::model_size, LawAxis::data_size, LawAxis::unique_data}, 3,
             list(tied)),
        tied_(tied) {}
  bool coupled() const override { return true; }

  void basis(const double* theta, const double* coefficients, const LawRows& rows,
             double* out) const override {
    const std::size_t n = rows.count;
    const Exponents at = exponents(theta);
    const double balance = log_balance(at, coefficients);
    for (std::size_t i = 0; i < n; ++i) {
      const Point point = point_at(at, balance, rows, i);
      out[i] = 1;
      out[n + i] = std::exp(-at.alpha * point.model.log_value);
      out[2 * n + i] = std::exp(-at.beta * point.data.log_value);
    }
  }
  void evaluate(const double* parameters, const LawRows& rows, double* value,
                double* gradient) const override;
  void change_units(const LawUnits& units, double* parameters) const override {
    const Exponents at = exponents(parameters + 3);
    parameters[0] *= std::exp(units.log_loss);
    parameters[1] *= std::exp(units.log_loss + at.alpha * units[LawAxis::model_size]);
    parameters[2] *= std::exp(units.log_loss + at.beta * units[LawAxis::data_size]);
  }

 private:
  struct Exponents {
    double alpha, beta, data_star, model_star;
  };
  struct Point {
    Worth model, data;
    double log_unique_data, log_balanced;  // log U_D, log of the balanced size
    bool excess;                           // N beyond the balanced size
  };

  static std::vector<LawParameter> list(bool tied) {
    std::vector<LawParameter> out = {{"E", "loss"},
                                     {"A", "loss N^alpha", kLeastTerm},
                                     {"B", tied ? "loss D^alpha" : "loss D^beta", kLeastTerm}};
    out.push_back({"alpha", "1", 0.02, 4, tied ? log_grid(0.05, 1.5, 16) : log_grid(0.05, 1.6, 7)});
    if (!tied) out.push_back({"beta", "1", 0.02, 4, log_grid(0.1, 1.2, 7)});
    out.push_back({"R_D_star", "repetitions", 0.05, 1e4, log_grid(0.3, 1e3, 5)});
    out.push_back({"R_N_star", "repetitions", 0.05, 1e4, log_grid(0.05, 1e4, 6)});
    return out;
  }
  Exponents exponents(const double* theta) const {
    const double* stars = theta + (tied_ ? 1 : 2);
    return {theta[0], tied_ ? theta[0] : theta[1], stars[0], stars[1]};
  }
  // log(alpha A/(beta B)); without a model term nothing is in excess.
  static double log_balance(const Exponents& at, const double* coefficients) {
    if (!coefficients || !(coefficients[1] > 0) || !(coefficients[2] > 0)) return 1e9;
    return std::log(at.alpha * coefficients[1] / (at.beta * coefficients[2]));
  }
  static Point point_at(const Exponents& at, double balance, const LawRows& rows, std::size_t i) {
    const double log_n = rows[LawAxis::model_size][i], log_d = rows[LawAxis::data_size][i];
    Point out;
    out.log_unique_data = std::fmin(log_d, rows[LawAxis::unique_data][i]);
    out.log_balanced = (balance + at.beta * out.log_unique_data) / at.alpha;
    out.excess = out.log_balanced < log_n;
    out.data = worth(log_d, out.log_unique_data, at.data_star);
    out.model = worth(log_n, std::fmin(log_n, out.log_balanced), at.model_star);
    return out;
  }

  bool tied_;
};

void Repetition::evaluate(const double* parameters, const LawRows& rows, double* value,
                          double* gradient) const {
  const std::size_t n = rows.count;
  const double a = parameters[1], b = parameters[2];
  const Exponents at = exponents(parameters + 3);
  const double balance = log_balance(at, parameters);
  const std::size_t star = tied_ ? 4 : 5;
  for (std::size_t i = 0; i < n; ++i) {
    const Point point = point_at(at, balance, rows, i);
    const double model = std::exp(-at.alpha * point.model.log_value);
    const double data = std::exp(-at.beta * point.data.log_value);
    value[i] = parameters[0] + a * model + b * data;
    // ∂L/∂log U_N; and log U_N depends on A, B, alpha and beta where N is in excess.
    const double through = point.excess ? -a * model * at.alpha * point.model.by_log_unique : 0;
    gradient[i] = 1;
    gradient[n + i] = model + (point.excess ? through / (at.alpha * a) : 0);
    gradient[2 * n + i] = data - (point.excess ? through / (at.alpha * b) : 0);
    const double by_alpha = -a * model * point.model.log_value +
                            through * (1 / at.alpha - point.log_balanced) / at.alpha;
    const double by_beta = -b * data * point.data.log_value +
                           through * (point.log_unique_data - 1 / at.beta) / at.alpha;
    gradient[3 * n + i] = tied_ ? by_alpha + by_beta : by_alpha;
    if (!tied_) gradient[4 * n + i] = by_beta;
    gradient[star * n + i] = -b * data * at.beta * point.data.by_star;
    gradient[(star + 1) * n + i] = -a * model * at.alpha * point.model.by_star;
  }
}

}  // namespace

FormPointer make_repetition(bool tied) { return std::make_shared<Repetition>(tied); }

}  // namespace assay
