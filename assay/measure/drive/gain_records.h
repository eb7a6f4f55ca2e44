// Gains and drift of branches as measurements.
#pragma once

#include "assay/core/records.h"
#include "assay/data/dataset.h"
#include "assay/measure/drive/attribution.h"
#include "assay/measure/drive/drift.h"
#include "assay/measure/probe/report.h"
#include "assay/stats/crossed_mean.h"

namespace assay::drive {

struct BranchCost {
  int64_t branches = 0, steps = 0;
  double gflops = 0;      // of training, one branch
  std::string objective;  // of the branches; empty = the trial's own
};

class Records {
 public:
  Records(const Subject& subject, const std::vector<Factor>& factors, BranchCost cost);

  /// by_branch: log2 p at the end less log2 p at the start, one [test, K] a branch. Quantities
  /// gain_bits, useful_rate, useful_snr, branch_variance, image_variance, residual_variance.
  void gains(const std::vector<Tensor>& by_branch);
  /// null_gain_bits and null_rate, label null = name.
  void null(const std::string& name, const std::vector<Tensor>& by_branch);
  /// drift_signal, drift_spread, drift_snr; label of = "parameters" | "features".
  void drift(const std::vector<Drift>& drifts, const std::string& of);

  /// attribution_bits by factor, group (trunk and its layers) and part; label part absent = the sum
  /// of all parts.
  void attribution(const std::vector<Attribution>& all);

  std::vector<Measurement> out;

 private:
  void add(const std::string& quantity, const std::string& unit,
           std::map<std::string, std::string> labels, const Estimate& estimate,
           const std::string& method);

  const Subject& subject_;
  std::vector<probe::Column> columns_;
  BranchCost cost_;
};

}  // namespace assay::drive
