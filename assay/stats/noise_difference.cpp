// Joint delete-one-unit jackknife of two analyses of variance.
#include "assay/stats/noise_difference.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "assay/core/error.h"
#include "assay/stats/nested_values.h"
#include "assay/stats/quadratic_form.h"

namespace assay {
namespace {

using namespace nested;
using Matrix = Eigen::MatrixXd;

struct Side {
  explicit Side(const NestedUnits& given)
      : units(given),
        sums(sums_of(given)),
        design(design_of(given)),
        values(values_of(sums, design)),
        without(without_one(given, sums, design)) {}

  // Products of deviations of different units; centring has put −τ/m into each.
  Matrix hollow() const {
    const Eigen::Index m = units.means.count;
    Matrix out = Eigen::Map<const Matrix>(units.means.centred.data(), m, m);
    out.array() += sums.trace / (sums.m - 1) / sums.m;
    out.diagonal().setZero();
    return out;
  }

  const NestedUnits& units;
  Sums sums;
  Design design;
  Values values;
  WithoutOne without;
};

void require_pairs(const NestedUnits& first, const NestedUnits& second) {
  require_consistent(first);
  require_consistent(second);
  if (first.means.count != second.means.count || first.draws != second.draws ||
      first.patterns != second.patterns || first.examples_per_unit != second.examples_per_unit ||
      first.population != second.population) {
    throw Error("stats.pairs", "the two measurements do not have the same units and draws",
                "measure both with one plan, one seed and the same examples");
  }
  if (first.means.count < 5 || first.draws < 1) {
    throw Error("stats.too_few_units", "a paired difference needs at least 5 units",
                "measure more units");
  }
}

std::vector<double> differences(const Side& a, const Side& b, Quantity q) {
  std::vector<double> out = a.without[q];
  for (size_t k = 0; k < out.size(); ++k) out[k] -= b.without[q][k];
  return out;
}

// Where the decreasing tail of a centred form equals `level`.
double upper_quantile(const QuadraticForm& form, double level, double deviation) {
  double low = -30 * deviation, high = 60 * deviation;
  for (int i = 0; i < 50; ++i) {
    const double middle = 0.5 * (low + high);
    (form.upper_tail(middle) > level ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

// value − quantiles of its error: eigenvalues of the degenerate part and a normal for the rest.
Estimate with_degenerate_part(double value, const std::vector<double>& without, Matrix degenerate,
                              double shrink) {
  const double m = static_cast<double>(without.size());
  degenerate /= m * (m - 1);
  const Eigen::VectorXd weights =
      Eigen::SelfAdjointEigenSolver<Matrix>(degenerate, Eigen::EigenvaluesOnly).eigenvalues();
  const double squares = weights.squaredNorm(), once = 2 * squares;
  // The jackknife counts the degenerate variance twice. What is left is the linear part's, known
  // only to 2 · once · √(2 Σ w⁴)/Σ w²: one such deviation is added, or intervals that happen to see
  // little signal are too short (coverage .85 at effective dimension 3).
  const double uncertain =
      squares > 0 ? 2 * once * std::sqrt(2 * weights.array().pow(4).sum()) / squares : 0;
  const double normal =
      shrink * (std::max(jackknife_variance(without) - 2 * once, 0.0) + uncertain);
  const double wider = std::pow(student_quantile(0.975, m - 1) / normal_quantile(0.975), 2);
  QuadraticForm form{.weights = {weights.data(), weights.data() + weights.size()}};
  for (double& weight : form.weights) weight *= shrink;
  form.normal_variance = wider * normal;
  const double deviation = std::sqrt(shrink * shrink * once + wider * normal);
  const int64_t n = std::ssize(without);
  if (!(deviation > 0)) return {value, value, value, 0, n};
  return {value, value - upper_quantile(form, 0.025, deviation),
          value - upper_quantile(form, 0.975, deviation),
          std::sqrt(shrink * shrink * once + normal), n};
}

}  // namespace

NoiseDifference noise_difference(const NestedUnits& first, const NestedUnits& second) {
  require_pairs(first, second);
  const Side a(first), b(second);
  const double shrink =
      std::max(shrink_of(a.sums, a.values, a.design), shrink_of(b.sums, b.values, b.design));
  const auto value = [&](Quantity q) { return a.values[q] - b.values[q]; };
  const auto plain = [&](Quantity q) {
    return student_interval(value(q), std::sqrt(shrink * jackknife_variance(differences(a, b, q))),
                            a.sums.m - 1, first.means.count);
  };
  const Matrix left = a.hollow(), right = b.hollow();
  return {.signal =
              with_degenerate_part(value(signal), differences(a, b, signal), left - right, shrink),
          .trace_total = plain(total),
          .snr_per_example =
              with_degenerate_part(value(snr), differences(a, b, snr),
                                   left / a.values[total] - right / b.values[total], shrink),
          .objective_share = plain(share)};
}

}  // namespace assay
