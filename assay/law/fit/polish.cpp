#include "assay/law/fit/polish.h"

#include <algorithm>
#include <cmath>

#include "assay/law/fit/bounded_step.h"

namespace assay {
namespace {

/// Gradient ratio of a minimum where rounding allows none smaller: the sum is then within 1e-12 λ.
constexpr double kArrived = 1e-6;
constexpr double kLeastNoise = 1e-6;  // of log loss, in the gradient's covariance

using Index = Eigen::Index;

class Minimiser {
 public:
  Minimiser(LawObjective& objective, const LawVector& start, const PolishOptions& options)
      : objective_(objective),
        options_(options),
        size_(start.size()),
        here_{objective.form(), options.held, start, start} {
    here_.at = here_.clamped(start);
    value_ = objective_.value_and_gradient(here_.at, here_.gradient);
    reset_matrix();
    if (options.matrix) matrix_ = *options.matrix;
  }

  Polished run();

 private:
  void reset_matrix() {
    matrix_ = objective_.reweighted_information();
    fresh_ = true;
  }
  LawVector direction() const;
  bool line_search(const LawVector& along);
  bool refine(double ratio);
  void update_matrix(const LawVector& step, const LawVector& change);
  double gradient_ratio();

  LawObjective& objective_;
  const PolishOptions& options_;
  Index size_;
  BoundedPoint here_;
  double value_ = 0, fall_ = 0;
  LawMatrix matrix_;
  bool fresh_ = true;  // the matrix has no updates
};

// The quasi-Newton step, shortened where it would change a parameter beyond recognition.
LawVector Minimiser::direction() const {
  LawVector step = bounded_step(here_, matrix_, 1e-12);
  if (!step.allFinite() || !(step.dot(here_.gradient) < 0))
    step = bounded_step(here_, matrix_, 1e-3);
  double longest = 1;
  for (Index j = 0; j < size_; ++j)
    longest = std::max(longest, std::fabs(step[j]) / (0.5 + 0.5 * std::fabs(here_.at[j])));
  return step / longest;
}

bool Minimiser::line_search(const LawVector& along) {
  LawVector gradient(size_);
  double length = 1;
  for (int i = 0; i < 30; ++i) {
    const LawVector next = here_.clamped(here_.at + length * along);
    const LawVector step = next - here_.at;
    const double slope = here_.gradient.dot(step);
    if (step.cwiseAbs().maxCoeff() <= 0) return false;
    const double value = objective_.value_and_gradient(next, gradient);
    if (value <= value_ + 1e-4 * slope && value < value_) {
      fall_ = value_ - value;
      update_matrix(step, gradient - here_.gradient);
      here_.at = next;
      value_ = value;
      here_.gradient = gradient;
      return true;
    }
    const double curved = 2 * (value - value_ - slope);
    const double shorter = curved > 0 ? -slope / curved : 0.5;
    length *= std::isfinite(shorter) ? std::clamp(shorter, 0.1, 0.5) : 0.1;
  }
  return false;
}

void Minimiser::update_matrix(const LawVector& step, const LawVector& change) {
  const LawVector image = matrix_ * step;
  const double curvature = step.dot(image), seen = step.dot(change);
  if (!(curvature > 0)) return;
  const double damping = seen >= 0.1 * curvature ? 1 : 0.9 * curvature / (curvature - seen);
  const LawVector used = damping * change + (1 - damping) * image;
  const double product = step.dot(used);
  if (!(product > 0)) return;
  matrix_ += used * used.transpose() / product - image * image.transpose() / curvature;
  fresh_ = false;
}

// Near the rounding of the sum only the gradient tells: Newton's step, kept if it halves the ratio
// and leaves the sum as it is.
bool Minimiser::refine(double ratio) {
  const LawVector before = here_.at, gradient_before = here_.gradient;
  const double value_before = value_;
  const LawMatrix second = curvature(objective_, here_.at);
  const LawVector step = bounded_step(here_, second, 0);
  if (step.allFinite() && step.dot(here_.gradient) < 0) {
    here_.at = here_.clamped(here_.at + step);
    value_ = objective_.value_and_gradient(here_.at, here_.gradient);
    // Residuals are rounded to about 1e-15, whatever their size.
    const double rounding =
        1e-13 * value_before + 1e-15 * std::sqrt(2 * value_before * objective_.total_weight());
    if (value_ <= value_before + rounding && gradient_ratio() < 0.5 * ratio) {
      matrix_ = second;
      fresh_ = false;
      return true;
    }
  }
  here_.at = before;
  value_ = value_before;
  here_.gradient = gradient_before;
  objective_.value_and_gradient(here_.at, here_.gradient);
  return false;
}

double Minimiser::gradient_ratio() {
  objective_.value_and_gradient(here_.at, here_.gradient);
  const LawMatrix covariance =
      objective_.gradient_covariance() + kLeastNoise * kLeastNoise * objective_.information();
  bool held[kMostParameters] = {};
  for (Index j = 0; j < size_; ++j) held[j] = here_.fixed(j) || !(covariance(j, j) > 0);
  LawVector scaled = LawVector::Zero(size_);
  solve_free(covariance, here_.gradient, 1e-12, held, scaled);
  return std::sqrt(std::max(-here_.gradient.dot(scaled), 0.0));
}

Polished Minimiser::run() {
  Polished out;
  for (int iteration = 0; iteration < options_.most_iterations; ++iteration) {
    const bool moved = line_search(direction());
    if (options_.rough > 0) {
      if (!moved || fall_ <= options_.rough * value_) break;
      continue;
    }
    if (moved && fall_ > 1e-7 * value_) continue;
    out.gradient_ratio = gradient_ratio();
    out.converged = out.gradient_ratio <= options_.tolerance;
    if (out.converged) break;
    if (refine(out.gradient_ratio) || moved) continue;
    if (fresh_) break;
    reset_matrix();
  }
  if (!out.converged && !(options_.rough > 0)) {
    out.gradient_ratio = gradient_ratio();
    out.converged = out.gradient_ratio <= std::max(options_.tolerance, kArrived);
  }
  out.parameters = here_.at;
  out.objective = value_;
  return out;
}

}  // namespace

LawMatrix curvature(LawObjective& objective, const LawVector& at) {
  const Index size = at.size();
  LawMatrix out(size, size);
  LawVector up(size), down(size);
  for (Index j = 0; j < size; ++j) {
    const double step = 1e-6 * std::max(1.0, std::fabs(at[j]));
    LawVector moved = at;
    moved[j] += step;
    objective.value_and_gradient(moved, up);
    moved[j] -= 2 * step;
    objective.value_and_gradient(moved, down);
    out.col(j) = (up - down) / (2 * step);
  }
  return 0.5 * (out + LawMatrix(out.transpose()));
}

Polished polish(LawObjective& objective, const LawVector& start, const PolishOptions& options) {
  return Minimiser(objective, start, options).run();
}

}  // namespace assay
