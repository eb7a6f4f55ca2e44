// A law with everything that is said of it: what `assay fit` prints and stores.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "assay/law/fitted/epiplexity.h"
#include "assay/law/validation/holdout.h"
#include "assay/law/validation/identifiability.h"
#include "assay/law/validation/influence.h"

namespace assay {

struct IntervalChoice {
  enum class Kind { bootstrap, bootstrap_full, profile, none };
  Kind kind = Kind::bootstrap;
  int resamples = 4000;
};
/// Reads "bootstrap", "bootstrap:4000", "bootstrap-full:4000", "profile", "none". Throws Error
/// usage.interval.
IntervalChoice parse_interval_choice(const std::string& text);

struct LawRequest {
  std::string form = "auto";  // or a name of form_names()
  FitOptions fit;
  IntervalChoice intervals;
  bool holdout = false;  // judge by hold-out; with "auto" also choose the form by it
  Seed seed{1};
  LawUnitNames units;    // of the table, for structural bits
  bool checked = false;  // the rows' table has told its faults (law_problem)
};

struct FittedLaw {
  std::string group;  // of the observations; "" = they have none
  LawProblem problem;
  LawFit fit;
  std::optional<Identifiability> gate;  // of a usable fit
  std::optional<Holdout> held_out;
  std::optional<FormChoice> choice;  // by hold-out, among several
  std::optional<LawBootstrap> resamples;
  std::optional<Influence> influence;                    // of flagged rows; of an identifiable law
  std::vector<std::optional<ProfileInterval>> profiles;  // [parameters]; empty unless asked for
  std::optional<StructuralBits> structural;              // of laws with a column of data
  double flops_per = 6;                                  // of the rows (allocation.h)
  double seconds = 0, search_seconds = 0;  // all of it; the search for the minimum alone

  /// Parameters may be told: the fit is usable and the design tells its exponents apart.
  bool identifiable() const { return gate && gate->identifiable; }
  /// 95%, by the way that was asked for; infinite on a side that a profile leaves open. Nothing
  /// where there is none.
  std::optional<LawLimits> interval(size_t parameter) const;
};

/// "auto" is "chinchilla" where N and D both take two values or more, else "floor_power" of the
/// one column that does: N, D, or C. Throws Error law.form where no column varies.
FormPointer chosen_form(std::span<const Observation> observations, const std::string& name);

/// Fits the rows of one group.
FittedLaw fit_group(std::span<const Observation> observations, const LawRequest& request);

/// One law for each group, in the order in which groups first occur.
std::vector<FittedLaw> fit_groups(std::span<const Observation> observations,
                                  const LawRequest& request);

/// {"form", "formula", "source", "axes", "group", "identifiable", "identifiability", "parameters",
/// "units", "intervals", "interval_method", "fitted" (the minimum, identifiable or not),
/// "objective", "loss", "delta", "sigma", "sigma_source",
/// "flops_per", "n", "runs", "upper_bounds", "diverged",
/// "starts", "agreeing", "converged", "at_bound", "condition_number", "correlation", "bootstrap",
/// "optimal_allocation", "structural_bits", "holdout", "form_choice", "influence", "warnings",
/// "failure", "seconds", "search_seconds"}; null where there is none. Parameters, intervals and
/// allocation are null where the design does not identify them.
nlohmann::json to_json(const FittedLaw& law);

}  // namespace assay
