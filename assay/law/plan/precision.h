// How precisely a sweep will determine a law: the Fisher information of its design.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assay/law/fit/law_objective.h"
#include "assay/law/plan/sweep.h"

namespace assay {

/// The law as one expects it, before the runs; parameters in the form's order and plain units.
struct LawGuess {
  FormPointer form;
  std::vector<double> parameters;
};

/// E + A N^-alpha + B D^-beta, or E + A x^-c where one column alone varies, with loss 1 at the
/// region's centre: E has the floor share of it, and what is left is halved between N and D. Unit
/// of loss and centre do not matter to the errors of exponents. Throws Error plan.guess for a share
/// outside [0, 1) or an exponent outside the form's bounds.
struct GuessShares {
  double alpha = 0.35, beta = 0.35;  // c is the one whose column varies
  double floor_share = 0.33;
};
LawGuess guess_law(const GuessShares& shares, const SweepRegion& region);

/// Log losses with independent normal noise σ have information Σ J Jᵀ/σ² about the parameters, with
/// J = ∂ log L/∂ parameter: analytic gradients of the form (forms/), in units centred on `region`
/// so that the matrix is well conditioned. Exponents do not depend on those units.
class DesignModel {
 public:
  /// Throws Error plan.guess where the guess's loss is not a positive number at the centre.
  DesignModel(LawGuess guess, const SweepRegion& region);

  const Form& form() const { return *guess_.form; }
  const LawGuess& guess() const { return guess_; }
  Eigen::Index size() const { return static_cast<Eigen::Index>(form().size()); }
  /// J of every point, [parameters × points], by centred parameter.
  Eigen::MatrixXd sensitivities(const Sweep& points) const;
  /// Σ runs J Jᵀ: the information at σ = 1.
  LawMatrix information(const Sweep& sweep) const;
  /// Exponents: the parameters without a unit. Index into the form's parameters.
  const std::vector<Eigen::Index>& exponents() const { return exponents_; }
  /// E over the loss at the region's centre; 0 for forms without a floor.
  double floor_share() const;
  /// ∂a/∂parameter of the exponent a = beta/(alpha + beta) of compute-optimal N*(C); nothing for
  /// forms without both.
  std::optional<LawVector> allocation_gradient() const;
  /// Columns whose variances a target adds up: "exponents" (all of them), "allocation" (a), or the
  /// name of an exponent. Throws Error plan.target for another name.
  Eigen::MatrixXd contrasts(const std::string& target) const;

 private:
  LawGuess guess_;
  LawUnits units_;
  std::vector<double> centred_;
  std::vector<Eigen::Index> exponents_;
};

struct ExponentError {
  std::string name;
  double value = 0;  // guessed
  double standard_error = 0;
  double floor_known = 0;  // standard error if E were known exactly
};

/// What the information bound promises: maximum likelihood reaches it where errors are small beside
/// the exponents; below one decade of range true errors are larger than told.
struct SweepPrecision {
  std::vector<ExponentError> exponents;
  std::optional<double> allocation;      // standard error of a in N* ∝ C^a
  std::optional<double> floor_relative;  // standard error of E over E; nothing where E is zero
  double beyond = 0;  // standard error of log L̂ ten times beyond the largest N and D
  int runs = 0, parameters = 0;
  double condition_number = 0;  // of the information scaled to a unit diagonal

  /// Of a name that DesignModel::contrasts knows; "exponents" is the worst of them.
  double standard_error(const std::string& target) const;
  /// Of a 95% interval, in standard errors: t with runs − parameters degrees, as σ is estimated
  /// from the same runs. ∞ without degrees of freedom.
  double interval_factor() const;
  double half_width(const std::string& target) const;
};

/// Throws Error plan.singular where the sweep cannot tell the parameters apart (fewer different
/// points than parameters, a single line of N and D, a condition number above that of
/// identifiability.h), plan.noise for σ <= 0.
SweepPrecision sweep_precision(const DesignModel& model, const Sweep& sweep, double sigma);

/// Smallest difference of two objectives' exponents that a two-sided test at `level` finds with
/// `power`: (z_{1−level/2} + z_power) √(2(1 − correlation)) SE. correlation: of the two objectives'
/// noise; common seeds and data order give about .5.
double detectable_difference(double standard_error, double correlation = 0, double power = 0.8,
                             double level = 0.05);

}  // namespace assay
