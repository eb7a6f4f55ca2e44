// Products between parts from a Gram matrix of units and parts, and without one unit in O(m K²).
#include "assay/stats/part_products.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <cmath>
#include <limits>

#include "assay/core/error.h"

namespace assay {
namespace {

using Matrix = Eigen::MatrixXd;

// [K + 1 × K + 1] of a K × K matrix: the whole is the sum of the parts.
Matrix with_whole(const Matrix& parts) {
  const Eigen::Index k = parts.rows();
  Matrix out(k + 1, k + 1);
  out.topLeftCorner(k, k) = parts;
  out.col(k).head(k) = parts.rowwise().sum();
  out.row(k).head(k) = parts.colwise().sum();
  out(k, k) = parts.sum();
  return out;
}

// Sums over units, from which every product follows.
struct Sums {
  double m = 0;
  Matrix all;   // Σ_uv ⟨g_uk, g_vl⟩
  Matrix same;  // Σ_u ⟨g_uk, g_ul⟩

  Matrix signal() const { return with_whole((all - same) / (m * (m - 1))); }
  Matrix noise(double b) const { return with_whole(b * (same - all / m) / (m - 1)); }
};

Matrix cosines(const Matrix& signal) {
  const Eigen::VectorXd lengths = signal.diagonal().cwiseMax(0.0).cwiseSqrt();
  return signal.array() / (lengths * lengths.transpose()).array();
}

// K Σ_k of the diagonal, the whole's own entry left out.
double of_strata(const Matrix& products) {
  const Eigen::Index k = products.rows() - 1;
  return static_cast<double>(k) * products.diagonal().head(k).sum();
}

class Units {
 public:
  Units(const std::vector<double>& gram, int64_t units, int64_t parts)
      : gram_(gram.data(), units * parts, units * parts), units_(units), parts_(parts) {
    total_ = {static_cast<double>(units), Matrix::Zero(parts, parts), Matrix::Zero(parts, parts)};
    for (int64_t u = 0; u < units; ++u) {
      const auto rows = gram_.middleRows(u * parts, parts);
      Matrix with_all = Matrix::Zero(parts, parts);
      for (int64_t v = 0; v < units; ++v) with_all += rows.middleCols(v * parts, parts);
      total_.all += with_all;
      total_.same += own(u);
      with_all_.push_back(std::move(with_all));
    }
  }

  const Sums& total() const { return total_; }
  Sums without(int64_t u) const {
    const Matrix& row = with_all_[static_cast<size_t>(u)];
    return {total_.m - 1, total_.all - row - row.transpose() + own(u), total_.same - own(u)};
  }

 private:
  Matrix own(int64_t u) const { return gram_.block(u * parts_, u * parts_, parts_, parts_); }

  Eigen::Map<const Matrix> gram_;
  int64_t units_, parts_;
  Sums total_;
  std::vector<Matrix> with_all_;  // Σ_v ⟨g_uk, g_vl⟩ of each u
};

std::vector<Estimate> estimates(const Matrix& value, const std::vector<Matrix>& without) {
  std::vector<Estimate> out;
  for (Eigen::Index k = 0; k < value.rows(); ++k) {
    for (Eigen::Index l = 0; l < value.cols(); ++l) {
      std::vector<double> values;
      for (const Matrix& one : without) values.push_back(one(k, l));
      out.push_back(jackknife_interval(value(k, l), values));
    }
  }
  return out;
}

void keep_resolved(PartProducts& products) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const auto resolved = [&](int64_t k) { return products.signal[products.at(k, k)].low > 0; };
  for (int64_t k = 0; k <= products.parts; ++k) {
    for (int64_t l = 0; l <= products.parts; ++l) {
      Estimate& alignment = products.alignment[products.at(k, l)];
      if (!resolved(k) || !resolved(l)) {
        alignment = {kNone, kNone, kNone, kNone, alignment.n};
      } else if (k == l) {
        alignment = {1, 1, 1, 0, alignment.n};
      }
    }
  }
}

}  // namespace

PartProducts part_products(const std::vector<double>& gram, int64_t units, int64_t parts,
                           int64_t examples_per_unit) {
  const auto rows = static_cast<size_t>(units * parts);
  if (gram.size() != rows * rows) {
    throw Error("stats.size", fmt::format("{} products are not those of {} units × {} parts",
                                          gram.size(), units, parts));
  }
  if (units < 5) {
    throw Error("stats.too_few_units",
                fmt::format("{} units give no interval for products of parts", units),
                "measure at least 5 units");
  }
  const Units all(gram, units, parts);
  const auto b = static_cast<double>(examples_per_unit);
  std::vector<Matrix> signal, alignment, noise;
  std::vector<double> within, between;
  for (int64_t u = 0; u < units; ++u) {
    const Sums less = all.without(u);
    signal.push_back(less.signal());
    alignment.push_back(cosines(signal.back()));
    noise.push_back(less.noise(b));
    within.push_back(of_strata(noise.back()));
    between.push_back(of_strata(signal.back()) - signal.back()(parts, parts));
  }
  const Matrix value = all.total().signal(), spread = all.total().noise(b);
  PartProducts out{.parts = parts,
                   .signal = estimates(value, signal),
                   .alignment = estimates(cosines(value), alignment),
                   .noise = estimates(spread, noise),
                   .within = jackknife_interval(of_strata(spread), within),
                   .between = jackknife_interval(of_strata(value) - value(parts, parts), between)};
  keep_resolved(out);
  return out;
}

}  // namespace assay
