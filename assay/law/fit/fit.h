// Fits a scaling law to a table. Torch-free, one thread, about a millisecond for 240 rows.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "assay/law/fit/polish.h"
#include "assay/law/fit/robust_loss.h"

namespace assay {

/// A table made ready for one form.
struct LawProblem {
  FormPointer form;
  FitRows rows;
  ReplicateNoise replicates;
  std::vector<std::string> faults;  // that replicates gave away
};

/// `checked`: the rows' table was searched for faults when it was read, and has told them. Throws
/// Error law.column (fit_rows.h).
LawProblem law_problem(std::span<const Observation> observations, FormPointer form,
                       bool checked = false);

struct FitOptions {
  RobustLoss loss = {};
  /// Polished, of the grid's local minima; four times as many for forms with three or more
  /// parameters beside their coefficients, whose objectives have more minima.
  std::size_t starts = 4;
  PolishOptions polish = {};
};

/// A law with its evidence. A fit that failed is a result that says so: `failure` is not empty, and
/// parameters are empty or not to be used. Default: not fitted.
struct LawFit {
  std::string failure = "not fitted";
  std::vector<double> parameters;  // [p] in the units of the table, in the form's order
  LawVector centred;               // [p] the same in the units of the rows
  double objective = 0;            // Σ ρ(log L − log L̂) over rows: the sum, not the mean
  LossScale scale;
  int64_t rows = 0, clusters = 0, upper_bounds = 0, diverged = 0;
  int starts = 0;    // polished
  int agreeing = 0;  // of them, within 1e-9 (relative) of the best objective
  bool converged = false;
  double gradient_ratio = 0;          // polish.h
  std::vector<std::string> at_bound;  // parameters at a bound: "E" where the floor is zero
  /// Of Σ J Jᵀ over parameters not at a bound, scaled to a unit diagonal.
  double condition_number = 0;
  /// [p * p] row-major, of the estimates in table units; zero beside a parameter at a bound.
  std::vector<double> correlation;
  std::vector<double> residuals;  // [rows] log L − log L̂
  std::vector<std::string> warnings;

  bool usable() const { return failure.empty(); }
  int64_t measured() const { return rows - upper_bounds; }
};

/// Residuals of the measured rows: upper bounds tell nothing of the noise.
std::vector<double> measured_residuals(const LawProblem& problem, const LawFit& fit);

/// Grid with projected coefficients, polish of the best local minima under decreasing δ, and the
/// test of convergence on the sum (polish.h). σ comes from replicates where they have at least
/// three degrees of freedom and the residuals do not exceed it (F test at .001): seeds tell nothing
/// of what a form misses, or of what differs between runs beside their seeds. Else from the median
/// residual of measured rows, found together with the fit; of fewer than 3 p rows it is at least
/// half of what least squares leave, because a fit that passes through p rows has a median residual
/// near zero.
LawFit fit_law(const LawProblem& problem, const FitOptions& options = {});

/// Parameters of a fit in centred units, expressed in the units of the table.
std::vector<double> table_parameters(const LawProblem& problem, const LawVector& centred);

}  // namespace assay
