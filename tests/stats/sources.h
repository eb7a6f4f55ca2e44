// Gradient sources with known answers.
#pragma once

#include <Eigen/Dense>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "assay/noise/noise.h"
#include "assay/stats/gradient_source.h"
#include "assay/stats/moments.h"

namespace assay::testing {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

inline Vector normal_vector(Seed stream, int64_t example, Eigen::Index size) {
  std::vector<float> values(static_cast<size_t>(size));
  normals(stream, example, 0, values);
  return Eigen::Map<Eigen::VectorXf>(values.data(), size).cast<double>();
}

inline std::vector<int64_t> consecutive(int64_t first, int64_t count) {
  std::vector<int64_t> ids(static_cast<size_t>(count));
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

// Base of the sources below: a gradient per example and draw, averaged in double.
class ExampleSource : public GradientSource {
 public:
  virtual Vector example_gradient(int64_t id, const Draw& draw) const = 0;
  void gradient(std::span<const int64_t> examples, const Draw& draw,
                std::span<float> out) override {
    Vector sum = Vector::Zero(size());
    for (const int64_t id : examples) sum += example_gradient(id, draw);
    sum /= static_cast<double>(examples.size());
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<float>(sum[static_cast<Eigen::Index>(i)]);
    }
  }
  std::vector<Group> groups() const override { return {{"all", 0, size()}}; }
};

// g = G + √λ_A ∘ a(example) + √λ_E ∘ e(example, draw), all Gaussian.
class GaussianSource : public ExampleSource {
 public:
  Vector mean, data, objective;  // G, λ_A, λ_E

  GaussianSource(Vector g, Vector data_variance, Vector objective_variance)
      : mean(std::move(g)),
        data(std::move(data_variance)),
        objective(std::move(objective_variance)) {}
  int64_t size() const override { return mean.size(); }
  Vector example_gradient(int64_t id, const Draw& draw) const override {
    Vector g = mean + data.cwiseSqrt().cwiseProduct(normal_vector(Seed(17), id, mean.size()));
    if (objective.maxCoeff() > 0) {
      g += objective.cwiseSqrt().cwiseProduct(normal_vector(draw.pattern, id, mean.size()));
    }
    return g;
  }
};

// l = ½ (θ − z)ᵀ H (θ − z), z ~ N(μ, C): G = H(θ − μ), Σ = H C H. No randomness of its own.
class QuadraticSource : public ExampleSource {
 public:
  Matrix hessian, root;  // H; C = root rootᵀ
  Vector offset;         // θ − μ

  explicit QuadraticSource(Eigen::Index size) : hessian(size, size), root(size, size) {
    for (Eigen::Index i = 0; i < size; ++i) {
      hessian.row(i) = normal_vector(Seed(3), i, size) / std::sqrt(static_cast<double>(size));
      root.row(i) = normal_vector(Seed(4), i, size) / std::sqrt(static_cast<double>(size));
    }
    hessian = Matrix(hessian * hessian.transpose()) + Matrix::Identity(size, size);
    offset = 0.3 * normal_vector(Seed(5), 0, size);
  }
  int64_t size() const override { return offset.size(); }
  Vector example_gradient(int64_t id, const Draw&) const override {
    return hessian * (offset - root * normal_vector(Seed(6), id, offset.size()));
  }
  Vector mean() const { return hessian * offset; }
  Matrix covariance() const { return hessian * root * root.transpose() * hessian; }
};

// x ~ N(0, S), z = x + s ε, l = ½ |W z − x|²; gradient (W z − x) zᵀ [d × d, row-major]. Bins of
// levels with one s each; bands of output rows as parts.
class DenoisingSource : public ExampleSource {
 public:
  Matrix weight;                               // W
  Vector spectrum;                             // S = diag
  std::vector<double> levels = {0.1, 0.5, 2};  // s by bin
  std::vector<std::pair<int, int>> bands = {{0, 1}, {1, 2}, {2, 4}, {4, 8}};

  DenoisingSource() : weight(8, 8), spectrum(8) {
    for (Eigen::Index k = 0; k < 8; ++k) {
      spectrum[k] = 1 / static_cast<double>((k + 1) * (k + 1));
      weight.row(k) = 0.2 * normal_vector(Seed(8), k, 8);
    }
  }
  int64_t size() const override { return 64; }
  std::vector<Group> groups() const override { return {{"all", 0, 64}, {"half", 0, 32}}; }
  int level_bins() const override { return static_cast<int>(levels.size()); }
  std::vector<std::string> parts() const override { return {"b0", "b1", "b2", "b3"}; }

  Vector example_gradient(int64_t id, const Draw& draw) const override {
    const Vector x = spectrum.cwiseSqrt().cwiseProduct(normal_vector(Seed(9), id, 8));
    const size_t bin =
        draw.level_bin
            ? static_cast<size_t>(*draw.level_bin)
            : static_cast<size_t>(uniform(draw.level, id, 0) * static_cast<double>(levels.size()));
    const Vector z = x + levels[bin] * normal_vector(draw.pattern, id, 8);
    const Matrix transposed =
        z * (weight * z - x).transpose();  // column-major: rows of the gradient
    return Eigen::Map<const Vector>(transposed.data(), 64);
  }
  void gradient_by_part(std::span<const int64_t> examples, const Draw& draw,
                        std::span<float> out) override {
    std::vector<float> whole(64);
    gradient(examples, draw, whole);
    std::fill(out.begin(), out.end(), 0.0f);
    for (size_t band = 0; band < bands.size(); ++band) {
      for (int i = 8 * bands[band].first; i < 8 * bands[band].second; ++i) {
        out[64 * band + static_cast<size_t>(i)] = whole[static_cast<size_t>(i)];
      }
    }
  }

  struct Truth {
    double signal, data, objective;
  };
  /// Rows [first, last) of the output; bin < 0 = levels mixed evenly.
  Truth truth(int bin, int first, int last) const {
    const Matrix clean = spectrum.asDiagonal();
    const Matrix identity = Matrix::Identity(8, 8);
    const auto rows = [&](const Matrix& m) { return Matrix(m.middleRows(first, last - first)); };
    Matrix mean = Matrix::Zero(last - first, 8);
    double total = 0, weight_of_level = bin < 0 ? 1 / static_cast<double>(levels.size()) : 1;
    double second_moment = 0;
    for (size_t i = 0; i < levels.size(); ++i) {
      if (bin >= 0 && static_cast<size_t>(bin) != i) continue;
      const Matrix noisy = clean + levels[i] * levels[i] * identity;
      const Matrix g = rows(weight * noisy - clean);
      const Matrix error =
          weight * noisy * weight.transpose() - weight * clean - clean * weight.transpose() + clean;
      mean += weight_of_level * g;
      total +=
          weight_of_level *
          (error.diagonal().segment(first, last - first).sum() * noisy.trace() + g.squaredNorm());
      second_moment += weight_of_level * g.squaredNorm();
    }
    total += second_moment - mean.squaredNorm();  // spread of the mean gradient between levels
    const Matrix shift = rows((weight - identity) * clean);
    const Matrix left = rows(weight - identity);
    const double data =
        (left * clean * left.transpose()).trace() * clean.trace() + shift.squaredNorm();
    return {mean.squaredNorm(), data, total - data};
  }
};

// Checks that an unbiased estimator has the stated mean, at two-sided level 1e-6 by default.
inline double z_score(const Moments& estimates, double truth) {
  return (estimates.mean() - truth) / estimates.standard_error();
}
constexpr double kLevel = 4.892;

}  // namespace assay::testing
