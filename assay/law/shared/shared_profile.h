// The profile of shared exponents: the sum over groups of what is left when each group's
// coefficients are at their minimum.
#pragma once

#include <vector>

#include "assay/law/fit/law_objective.h"

namespace assay {

/// A group's rows, with the Huber δ and the variance λ of its own fit.
struct ProfileGroup {
  LawObjective objective;  // of the form "chinchilla"
  double scale = 1;        // λ
};

using Exponents = Eigen::Vector2d;  // alpha, beta

struct ProfilePoint {
  Exponents exponents = Exponents::Zero();
  double value = 0;                  // Σ_g objective/λ
  std::vector<double> group_values;  // [groups] its terms
  Exponents gradient = Exponents::Zero();
  Eigen::Matrix2d information = Eigen::Matrix2d::Zero();  // reweighted, coefficients projected out
  std::vector<LawVector> parameters;                      // [groups] in the units of the rows
  bool converged = false;
};

/// Coefficients at their minimum for these exponents, from where `from` has them.
ProfilePoint profile_at(std::vector<ProfileGroup>& groups, const Exponents& exponents,
                        const std::vector<LawVector>& from, double tolerance);

/// From a point on by quasi-Newton steps, until √(gᵀ I⁻¹ g), the distance to the minimum in
/// standard errors, is below `tolerance`.
ProfilePoint minimise_profile(std::vector<ProfileGroup>& groups, const Exponents& start,
                              const std::vector<LawVector>& from, double tolerance);

/// Up to `count` points of the form's grid with least squares for coefficients, best first, apart.
std::vector<ProfilePoint> profile_starts(std::vector<ProfileGroup>& groups, std::size_t count);

}  // namespace assay
