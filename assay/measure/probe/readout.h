// Readouts: what a small softmax model recovers of each factor from frozen features.
#pragma once

#include "assay/core/seed.h"
#include "assay/measure/probe/softmax_regression.h"

namespace assay::probe {

/// Labels of N examples: first `train` rows to fit on, then `validation` rows to choose with, then
/// `test` rows that decide nothing.
struct Task {
  std::vector<std::string> factors;  // [K] names
  Tensor labels;                     // [N, K] int64, −1 = unknown
  ClassBlocks blocks;
  int64_t train = 0, validation = 0, test = 0;

  Tensor train_rows(const Tensor& rows) const { return rows.narrow(0, 0, train); }
  Tensor validation_rows(const Tensor& rows) const { return rows.narrow(0, train, validation); }
  Tensor test_rows(const Tensor& rows) const { return rows.narrow(0, train + validation, test); }
};

struct FeatureSet {
  std::string name;  // "layer.2", "all layers", "pixels"
  Tensor values;     // [N, d] float32
};

struct Readout {
  Scores test;                      // [test, K]
  std::vector<std::string> chosen;  // [K] how validation chose, in words
  Tensor weights;  // [d + 1, ΣC] of the chosen fits (FeatureSet::values as is); linear readouts of
                   // one feature set only
  double flops = 0;
};

struct LinearOptions {
  std::vector<double> ridges = {1, 1e-1, 1e-2, 1e-3, 1e-4};  // falling: each fit starts at the last
  int max_iterations = 40;
};

/// Softmax regression on each feature set along a path of ridges; validation chooses set and ridge,
/// factor by factor, the null model included. The path ends when no factor gains any more.
Readout linear_readout(const std::vector<FeatureSet>& candidates, const Task& task,
                       const LinearOptions& options);

struct AttentiveOptions {
  int64_t queries = 4;  // per factor
  int64_t steps = 400;
  int64_t batch = 128;
  double learning_rate = 1e-2;
};

/// p(factor | tokens) = softmax(b + Σ_q W_q · Σ_t a_qt x_t), a_q = softmax over tokens of w_q·x_t:
/// queries and classifier of each factor are its own. Adam with a cosine schedule on the mean
/// cross-entropy; the weights are those of the best of nine validation readings, the null model
/// included. tokens [N, T, d] float32, standardised.
Readout attentive_readout(const Tensor& tokens, const Task& task, const AttentiveOptions& options,
                          Seed seed);

}  // namespace assay::probe
