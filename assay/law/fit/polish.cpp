#include "assay/law/fit/polish.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace assay {
namespace {

constexpr double kLeastNoise = 1e-6;  // of log loss, in the gradient's covariance

using Index = Eigen::Index;

class Minimiser {
 public:
  Minimiser(LawObjective& objective, const LawVector& start, const PolishOptions& options)
      : objective_(objective), options_(options), size_(start.size()), at_(clamped(start)) {
    gradient_.resize(size_);
    value_ = objective_.value_and_gradient(at_, gradient_);
    reset_matrix();
  }

  Polished run();

 private:
  double low(Index j) const { return parameter(j).low; }
  double high(Index j) const { return parameter(j).high; }
  const LawParameter& parameter(Index j) const {
    return objective_.form().parameters()[static_cast<std::size_t>(j)];
  }
  LawVector clamped(LawVector point) const {
    for (Index j = 0; j < size_; ++j) point[j] = std::clamp(point[j], low(j), high(j));
    return point;
  }
  // Held by its bound, or by the caller.
  bool fixed(Index j) const {
    return (options_.held >> j & 1u) != 0 || (at_[j] <= low(j) && gradient_[j] >= 0) ||
           (at_[j] >= high(j) && gradient_[j] <= 0);
  }
  void solve_free(const LawMatrix& matrix, const LawVector& side, double ridge, const bool* held,
                  LawVector& out) const;
  LawVector step_of(const LawMatrix& matrix, double ridge) const;
  void reset_matrix() {
    matrix_ = objective_.reweighted_information();
    fresh_ = true;
  }
  LawVector direction() const;
  bool line_search(const LawVector& along);
  LawMatrix hessian();
  bool refine(double ratio);
  void update_matrix(const LawVector& step, const LawVector& change);
  double gradient_ratio();

  LawObjective& objective_;
  const PolishOptions& options_;
  Index size_;
  LawVector at_, gradient_;
  double value_ = 0, fall_ = 0;
  LawMatrix matrix_;
  bool fresh_ = true;  // the matrix has no updates
};

// Solves matrix · out = −side over the given parameters; the others of `out` stay as they are and
// act through the matrix. Scaled to a unit diagonal, so that the ridge is relative.
void Minimiser::solve_free(const LawMatrix& matrix, const LawVector& side, double ridge,
                           const bool* held, LawVector& out) const {
  Index chosen[kMostParameters], count = 0;
  for (Index j = 0; j < size_; ++j)
    if (!held[j]) chosen[count++] = j;
  LawMatrix reduced(count, count);
  LawVector right(count);
  for (Index a = 0; a < count; ++a) {
    const double scale = std::sqrt(matrix(chosen[a], chosen[a]));
    double sum = -side[chosen[a]];
    for (Index j = 0; j < size_; ++j)
      if (held[j]) sum -= matrix(chosen[a], j) * out[j];
    right[a] = sum / scale;
    for (Index b = 0; b < count; ++b)
      reduced(a, b) =
          matrix(chosen[a], chosen[b]) / (scale * std::sqrt(matrix(chosen[b], chosen[b])));
    reduced(a, a) += ridge;
  }
  const LawVector solved = reduced.ldlt().solve(right);
  for (Index a = 0; a < count; ++a)
    out[chosen[a]] = solved[a] / std::sqrt(matrix(chosen[a], chosen[a]));
}

// Parameters at a bound and pushed outwards, or held by the caller, or without curvature (of a term
// whose coefficient is zero), do not move. What a step would carry over its bound goes to the
// bound, and the rest of the step is solved again with it.
LawVector Minimiser::step_of(const LawMatrix& matrix, double ridge) const {
  bool held[kMostParameters] = {};
  for (Index j = 0; j < size_; ++j) held[j] = fixed(j) || !(matrix(j, j) > 0);
  LawVector step = LawVector::Zero(size_);
  for (Index round = 0; round <= size_; ++round) {
    solve_free(matrix, gradient_, ridge, held, step);
    bool crossed = false;
    for (Index j = 0; j < size_; ++j) {
      if (held[j]) continue;
      const double bounded = std::clamp(step[j], low(j) - at_[j], high(j) - at_[j]);
      if (bounded == step[j]) continue;
      step[j] = bounded;
      held[j] = crossed = true;
    }
    if (!crossed) break;
  }
  return step;
}

// The quasi-Newton step, shortened where it would change a parameter beyond recognition.
LawVector Minimiser::direction() const {
  LawVector step = step_of(matrix_, 1e-12);
  if (!step.allFinite() || !(step.dot(gradient_) < 0)) step = step_of(matrix_, 1e-3);
  double longest = 1;
  for (Index j = 0; j < size_; ++j)
    longest = std::max(longest, std::fabs(step[j]) / (0.5 + 0.5 * std::fabs(at_[j])));
  return step / longest;
}

bool Minimiser::line_search(const LawVector& along) {
  LawVector gradient(size_);
  double length = 1;
  for (int i = 0; i < 30; ++i) {
    const LawVector next = clamped(at_ + length * along);
    const LawVector step = next - at_;
    const double slope = gradient_.dot(step);
    if (step.cwiseAbs().maxCoeff() <= 0) return false;
    const double value = objective_.value_and_gradient(next, gradient);
    if (value <= value_ + 1e-4 * slope && value < value_) {
      fall_ = value_ - value;
      update_matrix(step, gradient - gradient_);
      at_ = next;
      value_ = value;
      gradient_ = gradient;
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

// By central differences of the gradient: exact enough between the kinks of ρ.
LawMatrix Minimiser::hessian() {
  LawMatrix out(size_, size_);
  LawVector up(size_), down(size_);
  for (Index j = 0; j < size_; ++j) {
    const double step = 1e-6 * std::max(1.0, std::fabs(at_[j]));
    LawVector moved = at_;
    moved[j] += step;
    objective_.value_and_gradient(moved, up);
    moved[j] -= 2 * step;
    objective_.value_and_gradient(moved, down);
    out.col(j) = (up - down) / (2 * step);
  }
  return 0.5 * (out + LawMatrix(out.transpose()));
}

// Near the rounding of the sum only the gradient tells: Newton's step, kept if it halves the ratio
// and leaves the sum as it is.
bool Minimiser::refine(double ratio) {
  const LawVector before = at_, gradient_before = gradient_;
  const double value_before = value_;
  const LawMatrix second = hessian();
  const LawVector step = step_of(second, 0);
  if (step.allFinite() && step.dot(gradient_) < 0) {
    at_ = clamped(at_ + step);
    value_ = objective_.value_and_gradient(at_, gradient_);
    // Residuals are rounded to about 1e-15, whatever their size.
    const double rounding =
        1e-13 * value_before + 1e-15 * std::sqrt(2 * value_before * objective_.total_weight());
    if (value_ <= value_before + rounding && gradient_ratio() < 0.5 * ratio) {
      matrix_ = second;
      fresh_ = false;
      return true;
    }
  }
  at_ = before;
  value_ = value_before;
  gradient_ = gradient_before;
  objective_.value_and_gradient(at_, gradient_);
  return false;
}

double Minimiser::gradient_ratio() {
  objective_.value_and_gradient(at_, gradient_);
  const LawMatrix covariance =
      objective_.gradient_covariance() + kLeastNoise * kLeastNoise * objective_.information();
  bool held[kMostParameters] = {};
  for (Index j = 0; j < size_; ++j) held[j] = fixed(j) || !(covariance(j, j) > 0);
  LawVector scaled = LawVector::Zero(size_);
  solve_free(covariance, gradient_, 1e-12, held, scaled);
  return std::sqrt(std::max(-gradient_.dot(scaled), 0.0));
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
    out.converged = out.gradient_ratio <= options_.tolerance;
  }
  out.parameters = at_;
  out.objective = value_;
  return out;
}

}  // namespace

Polished polish(LawObjective& objective, const LawVector& start, const PolishOptions& options) {
  return Minimiser(objective, start, options).run();
}

}  // namespace assay
