// The drive view: what steps from a checkpoint teach, measured on short branches.
#pragma once

#include <optional>

#include "assay/measure/drive/branch.h"
#include "assay/measure/probe/task.h"

namespace assay {

struct DrivePlan {
  int64_t branches = 4;                       // R >= 2
  int64_t steps = 50;                         // K of each branch
  int64_t threads = 1;                        // branches at a time; no bit depends on it
  probe::SplitSizes split{5000, 1000, 4000};  // held-out images
  std::vector<std::string> factors;           // empty = all
  int64_t dimension = 128;                    // common dimension of the features
  bool nulls = true;                          // shuffled labels and random directions
  int64_t attribution_images = 256;           // test images behind u_k; 0 = no attribution
  int64_t head_steps = 100;                   // for the head of another objective
};

/// Branches of another objective from the same trunk.
struct OtherObjective {
  std::string name;
  drive::Make make;
};

/// R branches of K steps from the subject's checkpoint, averaged weights at both ends, readouts
/// refitted at each end on the same held-out images:
///   gain_bits         mean over branches of Σ log2 p_end − log2 p_start per image; interval over
///                     branches and images
///   useful_rate       the same per GFLOP of training
///   useful_snr        mean gain over its standard deviation between branches (noncentral t)
///   branch_variance, image_variance, residual_variance   of the gains, per value
///   drift_snr         |mean displacement|² over the trace of its covariance between branches, by
///                     group of averaged parameters and of pooled features
///   null_gain_bits    the same as gain_bits for shuffled labels, and for random directions of the
///                     same length in each tensor
///   attribution_bits  −½ (u_start + u_end)·Δ by part of the way (loss term, momentum from before,
///                     weight decay; absent = the whole) and group; interval over branches
/// by factor and for the sums all, content, position. The trial is left as it is; what it costs is
/// added to flops_spent. Labels: objective where branches are of another one.
///
/// Throws Error measure.branches where the run has fewer than K steps left or branches coincide
/// (shared draws), measure.no_factors, usage.unknown_name for a factor, data.too_few_examples.
std::vector<Measurement> measure_drive(Subject& subject, const DrivePlan& plan,
                                       const std::optional<OtherObjective>& other = std::nullopt);

/// Options of the meter, and the plan they give.
std::vector<Option> drive_options();
DrivePlan read_drive_plan(const Options& options);

}  // namespace assay
