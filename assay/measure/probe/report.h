// Readouts to measurements: bits and accuracy of each factor, sums of factors, gains.
#pragma once

#include "assay/measure/probe/readout.h"
#include "assay/train/subject.h"

namespace assay::probe {

/// One factor, or a sum of several ("all", "content", "position").
struct Column {
  std::string name;
  bool sum = false;
  std::vector<int64_t> factors;  // indices
  double entropy = 0;            // bits
};
std::vector<Column> columns_of(const std::vector<Factor>& factors);

/// Σ over the column's factors, of the rows where none is NaN. values [N, K] float64
std::vector<double> known_sums(const Tensor& values, const Column& column);

/// Readouts of one kind of features, by readout ("linear", "attentive").
using Readouts = std::map<std::string, Readout>;

/// All readouts of one checkpoint, on the same test examples.
struct Readings {
  Readouts trained, random_init, raw_input;
};

/// For each readout and each kind of features:
///   bits           H(factor) + mean log2 p(true value): may be negative
///   accuracy       share of test examples whose most probable value is true
/// and for the trained trunk
///   bits_gain      mean of log2 p_trained − log2 p_random_init, paired by test example
///   deficit_bits   identifiable bits − bits; identifiable = H(factor) here
/// by factor and for the sums "all", "content", "position" over the examples where every summed
/// factor is known. Intervals: Student t over test examples, given the fitted readouts.
/// factors: those of the task, in its order.
std::vector<Measurement> measurements(const Subject& subject, const std::vector<Factor>& factors,
                                      const Readings& readings);

}  // namespace assay::probe
