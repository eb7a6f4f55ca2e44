#include "assay/law/fit/descent.h"

#include <cmath>

#include "assay/law/fit/bounded_step.h"

namespace assay {
namespace {

constexpr double kFirstRidge = 1e-3, kLeastRidge = 1e-12, kMostRidge = 1e6;

class Descent {
 public:
  Descent(LawObjective& objective, const LawVector& start, unsigned held)
      : objective_(objective), here_{objective.form(), held, start, start} {
    here_.at = here_.clamped(start);
    value_ = objective_.value_and_gradient(here_.at, here_.gradient);
    matrix_ = objective_.reweighted_information();
  }

  Descended run(const DescentOptions& options) {
    int small = 0;
    for (int i = 0; i < options.most_iterations && small < 3; ++i) {
      const double before = value_;
      if (!advance()) break;
      small = before - value_ <= options.least_fall * value_ ? small + 1 : 0;
    }
    return {here_.at, value_};
  }

 private:
  // Raises the ridge until a step lowers the sum; false where none does.
  bool advance() {
    for (; ridge_ <= kMostRidge; ridge_ *= 8) {
      const LawVector step = bounded_step(here_, matrix_, ridge_);
      if (!step.allFinite()) continue;
      if (!(step.cwiseAbs().maxCoeff() > 0)) return false;
      const LawVector next = here_.clamped(here_.at + step);
      if (!try_point(next)) continue;
      matrix_ = objective_.reweighted_information();
      ridge_ = std::max(ridge_ / 5, kLeastRidge);
      return true;
    }
    return false;
  }

  // Stands at `next`, or where its coefficients are solved again, if the sum is lower there.
  bool try_point(const LawVector& next) {
    LawVector gradient(next.size()), projected = next, other(next.size());
    const double value = objective_.value_and_gradient(next, gradient);
    if (!std::isfinite(value)) return false;
    const bool free = (here_.held & ((1u << objective_.form().coefficients()) - 1)) == 0;
    if (free) {
      objective_.project_again(next, projected.data());
      projected = here_.clamped(projected);
      const double after = objective_.value_and_gradient(projected, other);
      if (after < value && after < value_) {
        move(projected, after, other);
        return true;
      }
    }
    if (!(value < value_)) return false;
    move(next, objective_.value_and_gradient(next, gradient), gradient);
    return true;
  }

  void move(const LawVector& to, double value, const LawVector& gradient) {
    here_.at = to;
    here_.gradient = gradient;
    value_ = value;
  }

  LawObjective& objective_;
  BoundedPoint here_;
  double value_ = 0, ridge_ = kFirstRidge;
  LawMatrix matrix_;
};

}  // namespace

Descended descend(LawObjective& objective, const LawVector& start, const DescentOptions& options) {
  return Descent(objective, start, options.held).run(options);
}

}  // namespace assay
