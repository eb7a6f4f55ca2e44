// How well a law extrapolates: fitted to the smaller runs, judged by the larger ones.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "assay/law/intervals/bootstrap.h"

namespace assay {

struct HoldoutOptions {
  RobustLoss loss = {};
  std::vector<double> quantiles = {0.3, 0.5, 0.7};  // of the rows, by compute
  bool largest = true;  // also leave out the largest model size, and the largest data size
  int resamples = 200;  // for coverage, down to 100 of many rows, whose noise is all; 0 = none
  Seed seed{1};
};

/// One division into fitted and held-out rows. A run stands on the side of its largest row, so that
/// no run is on both.
struct HoldoutCut {
  std::string name;     // "compute:0.3", "largest:model_size"
  std::string failure;  // why the law could not be fitted here; empty = it was
  int64_t fitted = 0, held_out = 0;
  double decades_beyond = 0;       // largest compute held out over largest fitted
  std::vector<double> parameters;  // of the law fitted here, in table units
  std::vector<double> errors;      // [held_out] log L̂ − log L
  std::vector<std::size_t> rows;   // [held_out] which observations
  double log_rmse = 0, log_bias = 0;
  /// Held-out losses within the prediction interval, as a share; NaN without resamples, and where
  /// too few rows are fitted for any (LawBootstrap::failure).
  double coverage80 = 0, coverage95 = 0;
  double carried_rmse =
      0;  // baseline: the measured loss at the largest fitted compute, carried forward
  double power_rmse = 0;  // baseline: pure power of compute
};

/// Range of a parameter over the cuts by compute and the fit to all rows.
struct ParameterDrift {
  std::string parameter;
  double all = 0, low = 0, high = 0;
};

struct Holdout {
  std::string form;
  std::size_t parameters = 0;  // how many the form has
  std::vector<HoldoutCut> cuts;
  std::vector<ParameterDrift> drift;  // of E and of what is no coefficient
  double log_rmse = 0;                // over all held-out rows of all cuts that were fitted
  double carried_rmse = 0, power_rmse = 0;
};

/// Rolling hold-out by compute (C where every row has it, else N D; for forms of one column, that
/// column), then the largest sizes. Only measured rows are predicted. Throws as law_problem does.
Holdout holdout(std::span<const Observation> observations, const FormPointer& form,
                const HoldoutOptions& options = {});

/// One form against the best.
struct FormRival {
  std::string form;
  double log_rmse = 0;
  double difference = 0;           // of mean squared log error, to the best form's
  double standard_error = 0;       // of the difference: paired bootstrap over held-out runs
  bool indistinguishable = false;  // difference below twice its standard error
};
struct FormChoice {
  std::string best;           // lowest log_rmse
  std::string chosen;         // of best and those indistinguishable from it, the one with fewest
                              // parameters
  bool distinguished = true;  // no other form is as good within its error
  std::vector<FormRival> rivals;
};

/// Whether there is a cut in which all forms could be fitted.
bool comparable(std::span<const Holdout> holdouts);

/// Compares hold-outs of several forms, made of the same observations with the same options, over
/// the cuts in which all were fitted. Errors of one cut share a fit, so that the standard error is
/// rather too small. Throws Error law.holdout without two of them, or without a common cut.
FormChoice choose_form(std::span<const Observation> observations, std::span<const Holdout> holdouts,
                       Seed seed = Seed(1));

}  // namespace assay
