#include "assay/law/shared/shared_profile.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "assay/law/fit/polish.h"

namespace assay {
namespace {

using Index = Eigen::Index;

constexpr unsigned kHoldExponents = 1u << 3 | 1u << 4;
constexpr int kMostSteps = 200;

// I_θθ − I_θc I_cc⁻¹ I_cθ over the coefficients that are not at zero.
Eigen::Matrix2d projected_information(const LawMatrix& information, const LawVector& parameters) {
  std::vector<Index> free;
  for (Index j = 0; j < 3; ++j)
    if (parameters[j] > 0) free.push_back(j);
  const std::array<Index, 2> theta = {3, 4};
  const Eigen::Matrix2d own = information(theta, theta);
  if (free.empty()) return own;
  const Eigen::MatrixXd inner = information(free, free), cross = information(free, theta);
  return own - cross.transpose() * inner.ldlt().solve(cross);
}

Exponents clamped(const Form& form, Exponents at) {
  for (Index j = 0; j < 2; ++j) {
    const LawParameter& parameter = form.parameters()[static_cast<std::size_t>(j) + 3];
    at[j] = std::clamp(at[j], parameter.low, parameter.high);
  }
  return at;
}

// Of the gradient, that of an exponent held by its bound does not count.
Exponents free_gradient(const Form& form, const ProfilePoint& at) {
  Exponents out = at.gradient;
  for (Index j = 0; j < 2; ++j) {
    const LawParameter& parameter = form.parameters()[static_cast<std::size_t>(j) + 3];
    if ((at.exponents[j] <= parameter.low && out[j] > 0) ||
        (at.exponents[j] >= parameter.high && out[j] < 0))
      out[j] = 0;
  }
  return out;
}

Eigen::Matrix2d ridged(const Eigen::Matrix2d& matrix) {
  return matrix + 1e-12 * matrix.trace() * Eigen::Matrix2d::Identity();
}

double distance(const Exponents& gradient, const Eigen::Matrix2d& information) {
  return std::sqrt(std::max(gradient.dot(ridged(information).ldlt().solve(gradient)), 0.0));
}

// BFGS; nothing where the curvature seen is not positive.
void update(Eigen::Matrix2d& matrix, const Exponents& step, const Exponents& change) {
  const Exponents image = matrix * step;
  if (!(step.dot(change) > 1e-3 * step.dot(image))) return;
  matrix +=
      change * change.transpose() / step.dot(change) - image * image.transpose() / step.dot(image);
}

}  // namespace

ProfilePoint profile_at(std::vector<ProfileGroup>& groups, const Exponents& exponents,
                        const std::vector<LawVector>& from, double tolerance) {
  ProfilePoint out;
  out.exponents = exponents;
  out.converged = true;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    ProfileGroup& group = groups[g];
    LawVector start = from[g];
    start.tail<2>() = exponents;
    const Polished found =
        polish(group.objective, start, {.tolerance = tolerance, .held = kHoldExponents});
    LawVector gradient(5);
    group.objective.value_and_gradient(found.parameters, gradient);
    out.group_values.push_back(found.objective / group.scale);
    out.value += out.group_values.back();
    out.gradient += gradient.tail<2>() / group.scale;
    out.information +=
        projected_information(group.objective.reweighted_information(), found.parameters) /
        group.scale;
    out.parameters.push_back(found.parameters);
    out.converged &= found.converged;
  }
  return out;
}

ProfilePoint minimise_profile(std::vector<ProfileGroup>& groups, const Exponents& start,
                              const std::vector<LawVector>& from, double tolerance) {
  const Form& form = groups.front().objective.form();
  const double inner = 0.01 * tolerance;
  ProfilePoint at = profile_at(groups, clamped(form, start), from, inner);
  Eigen::Matrix2d matrix = at.information;
  bool fresh = true;
  for (int step = 0; step < kMostSteps; ++step) {
    const Exponents gradient = free_gradient(form, at);
    if (distance(gradient, at.information) <= tolerance) return at;
    Exponents along = -ridged(matrix).ldlt().solve(gradient);
    along /= std::max(1.0, 4 * along.cwiseAbs().maxCoeff());
    bool moved = false;
    for (double length = 1; length > 1e-8 && !moved; length *= 0.3) {
      const Exponents next = clamped(form, at.exponents + length * along);
      ProfilePoint found = profile_at(groups, next, at.parameters, inner);
      const Exponents taken = next - at.exponents;
      if (!(found.value <= at.value + 1e-4 * at.gradient.dot(taken) + 1e-13 * at.value)) continue;
      update(matrix, taken, found.gradient - at.gradient);
      at = std::move(found);
      moved = true;
    }
    if (moved) {
      fresh = false;
      continue;
    }
    if (fresh) break;
    matrix = at.information;
    fresh = true;
  }
  at.converged = distance(free_gradient(form, at), at.information) <= tolerance;
  return at;
}

std::vector<ProfilePoint> profile_starts(std::vector<ProfileGroup>& groups, std::size_t count) {
  const Form& form = groups.front().objective.form();
  std::vector<ProfilePoint> points;
  for (const double alpha : form.parameters()[3].grid)
    for (const double beta : form.parameters()[4].grid) {
      ProfilePoint point;
      point.exponents = {alpha, beta};
      for (ProfileGroup& group : groups) {
        LawVector at(5);
        at << 0, 0, 0, alpha, beta;
        group.objective.project(at.data() + 3, at.data());
        point.value += group.objective.value(at) / group.scale;
        point.parameters.push_back(at);
      }
      points.push_back(std::move(point));
    }
  std::ranges::sort(points, {}, &ProfilePoint::value);
  const double apart = 2.5 * (form.parameters()[3].grid[1] - form.parameters()[3].grid[0]);
  std::vector<ProfilePoint> out;
  for (const ProfilePoint& point : points) {
    const auto near = [&](const ProfilePoint& other) {
      return (point.exponents - other.exponents).cwiseAbs().maxCoeff() < apart;
    };
    if (out.size() < count && std::ranges::none_of(out, near)) out.push_back(point);
  }
  return out;
}

}  // namespace assay
