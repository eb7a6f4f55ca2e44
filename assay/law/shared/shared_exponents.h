// One pair of exponents for several objectives, each with its own floor and efficiency.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "assay/law/fitted/stored_law.h"

namespace assay {

struct SharedOptions {
  RobustLoss loss = {};
  int resamples = 4000;  // 0 = no intervals
  Seed seed{1};
};

/// A group under the shared exponents.
struct SharedGroup {
  std::string group;
  int64_t rows = 0, clusters = 0;
  std::array<double, 3> coefficients{};     // E, A, B in table units
  std::array<LawLimits, 3> intervals{};     // of them; NaN without resamples
  double model_efficiency = 1;              // e_N = (A_1/A_g)^(1/alpha); NaN where A_g is zero
  double data_efficiency = 1;               // e_D = (B_1/B_g)^(1/beta)
  LawLimits model_interval, data_interval;  // of e_N, e_D; [1, 1] for the first group
  std::array<double, 2> own_exponents{};    // alpha, beta of the group fitted alone
  std::vector<std::string> at_bound;        // coefficients that are zero
  // For predictions: E, A, B, alpha, beta in each resample; log residuals times √(n/(n − 3 − 2/G)).
  LawBootstrap draws;
  std::vector<double> noise;
  double flops_per = 6;
  FittedRegion region;
};

/// L_g = E_g + A (e_Ng N)^-alpha + B (e_Dg D)^-beta with e = 1 in the first group
/// (arXiv:2602.07712): a group is worth e_N times the parameters and e_D times the data of the
/// first. The same as E_g + A_g N^-alpha + B_g D^-beta with coefficients of its own.
struct SharedExponents {
  double alpha = 0, beta = 0;
  LawLimits alpha_interval, beta_interval;
  std::vector<SharedGroup> groups;
  double objective = 0;  // Σ_g (Σ ρ)/λ_g: groups weigh by the inverse of their noise variance
  bool converged = false;
  int starts = 0, agreeing = 0;
  int kept = 0, failed = 0;  // resamples
  // Hypothesis: all groups have the same exponents. F = Σ_g (twice the rise of a group's objective
  // over that of its own fit) (ν_g − 2)/ν_g, over the degrees 2 (G − 1), with ν_g = n_g − 5: 1/λ_g
  // is too large by ν/(ν − 2) on average. F(degrees, Σ ν_g) if it is true.
  double statistic = 0, degrees = 0, residual_degrees = 0, p_value = 1;
  /// Why the rows do not tell the exponents, as far as designs and intervals show; empty = they do.
  std::vector<std::string> reasons;
  std::vector<std::string> warnings;
};

/// Variable projection: for given exponents each group's coefficients are non-negative least
/// squares on a grid, then the minimum of its robust loss; the exponents follow by quasi-Newton
/// steps on the profile, whose gradient is the partial one at that minimum. δ_g and λ_g
/// (likelihood_scale) come from the group's own fit. Intervals: runs are resampled within each
/// group, each resample fitted from the minimum of all rows; percentiles of
/// exponents and of log efficiencies are drawn apart about the estimate by √(n/(n − p)), p = 2 + 3
/// G, as residuals are smaller than errors by that. The test takes rows as independent: with
/// several rows of one run it rejects too often, and a warning says so.
///
/// Simulated, three groups of 5 × 5 over two decades, noise .005, 400 sweeps of 400 resamples: 95%
/// intervals of alpha, beta, e_N, e_D cover .950, .935, .968, .950, and the test at 5% rejects 6.8%
/// of true hypotheses (least squares: .958, .927, .968, .938, 4.5%; standard error .011).
///
/// Throws Error law.shared: fewer than two groups; losses in different units (efficiencies compare
/// A_g across groups, and a unit would enter them); a group of fewer than eight rows or without
/// a fit.
/// Throws what law_problem throws.
SharedExponents share_exponents(std::span<const Observation> observations,
                                const SharedOptions& options = {});

/// {"alpha", "beta", "intervals": {"alpha", "beta"}, "objective", "converged", "starts",
/// "agreeing", "bootstrap": {"kept", "failed"}, "test": {"statistic", "degrees",
/// "residual_degrees", "p_value"}, "reference", "groups": [{"group", "n", "runs", "parameters",
/// "intervals", "efficiency": {"N", "N_interval", "D", "D_interval"}, "own_exponents",
/// "at_bound"}], "reasons", "warnings"}
nlohmann::json to_json(const SharedExponents& shared);

/// One law for each group, named "GROUP: shared exponents"; identifiable unless there are
/// reasons, the group lacks a term, or the test rejects at .05 that the groups share exponents: it
/// then predicts between its own runs alone.
std::vector<StoredLaw> stored_laws(const SharedExponents& shared, const std::string& loss_unit);

}  // namespace assay
