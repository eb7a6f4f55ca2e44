// What single rows do to a law: refits without those that deserve a look.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "assay/law/fit/fit.h"

namespace assay {

struct InfluentialRow {
  std::size_t index = 0;  // among the observations
  int64_t line = 0;       // of the table, 0 = unknown
  std::string run;
  /// "upper bound", "duplicate", "outlier", "largest N", "largest D", "largest C".
  std::vector<std::string> reasons;
  std::string failure;         // why there is no refit; empty = there is one
  std::vector<double> change;  // [exponents] refit − fit
};

struct ExponentChange {
  std::string parameter;
  double change = 0;           // the largest in absolute value, with its sign
  double standard_errors = 0;  // the same in standard errors of the fit
  std::size_t row = 0;         // among Influence::rows
};

struct Influence {
  std::vector<std::string> exponents;   // parameters with has_profile (profile.h), but E
  std::vector<double> standard_errors;  // [exponents]
  std::vector<InfluentialRow> rows;     // by size of their residual, the larger first
  std::vector<ExponentChange> largest;  // one for each exponent; empty without a refit
  int64_t flagged = 0;                  // rows.size(), and those for which there was no time
};

/// Beyond this many σ a residual is an outlier.
constexpr double kOutlierSigma = 5;
/// Refits of one table; fewer in tables of more than 40,000 rows, but at least four.
constexpr std::size_t kMostInfluenceRefits = 100;

/// Flags upper bounds, rows with the columns and the loss of an earlier one, residuals beyond
/// 5 σ, and the rows with the greatest N, D or C (each of those that share it), and refits without
/// each, from the fit's minimum at its δ. Standard errors are λ (Σ J Jᵀ)⁻¹ with profile.h's λ:
/// those of independent rows. Throws Error law.unusable if the fit failed.
Influence influence(const LawProblem& problem, const LawFit& fit,
                    std::span<const Observation> observations);

/// {"flagged", "refitted", "largest": {"alpha": {"line", "run", "reasons", "change",
/// "standard_errors"}}, "rows": [{"line", "run", "reasons", "failure", "change": {"alpha": …}}]}
nlohmann::json to_json(const Influence& influence);

/// "without line 14 (outlier) alpha moves by -0.012 (1.3 standard errors): the most of 9 flagged
/// rows", of the exponent that moves most standard errors; empty without a refit.
std::string describe(const Influence& influence);

}  // namespace assay
