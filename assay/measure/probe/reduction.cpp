// Rows of any width to rows of one common width, fitted once and then frozen.
#include "assay/tensor/torch.h"

#include "assay/measure/probe/reduction.h"

#include <cmath>

#include "assay/noise/noise.h"

namespace assay::probe {
namespace {

constexpr int64_t kOversampling = 16;
constexpr int kIterations = 4;
constexpr double kConstant = 1e-6;  // sd over root mean square below which a feature does not vary

/// Leading right singular vectors. [D, d]
Tensor principal_directions(const Tensor& rows, int64_t dimension, Seed seed) {
  const int64_t sketch = std::min({dimension + kOversampling, rows.size(0), rows.size(1)});
  Tensor basis = torch::empty({rows.size(1), sketch});
  normals(seed, 0, 0, {basis.data_ptr<float>(), static_cast<size_t>(basis.numel())});
  for (int i = 0; i < kIterations; ++i)
    basis = std::get<0>(torch::linalg_qr(rows.t().matmul(rows.matmul(basis))));
  const Tensor small = rows.matmul(basis);
  const Tensor covariance = small.t().matmul(small).to(torch::kFloat64);
  const Tensor vectors = std::get<1>(torch::linalg_eigh(covariance)).flip({1});
  return basis.matmul(vectors.narrow(1, 0, std::min(dimension, sketch)).to(torch::kFloat32));
}

}  // namespace

Reduction::Reduction(const Tensor& rows, int64_t dimension, Scaling scaling, Seed seed) {
  torch::NoGradGuard no_grad;
  const Tensor mean = rows.mean(0, false, torch::kFloat64);
  const Tensor variance =
      (rows - mean.to(torch::kFloat32)).square().mean(0, false, torch::kFloat64);
  const Tensor common = scaling == Scaling::common ? variance.mean().expand_as(variance) : variance;
  const Tensor varies = variance.sqrt().gt((variance + mean.square()).sqrt() * kConstant);
  scale_ = torch::where(varies, common.rsqrt(), torch::zeros_like(variance)).to(torch::kFloat32);
  shift_ = mean.to(torch::kFloat32);
  if (rows.size(1) <= dimension) return;
  const Tensor standard = apply(rows);
  const Tensor directions = principal_directions(standard, dimension, seed);
  const double spread = standard.matmul(directions).square().mean().item<double>();
  matrix_ = scale_.unsqueeze(1) * directions / std::sqrt(std::max(spread, 1e-30));
  shift_ = shift_.matmul(matrix_);
}

Tensor Reduction::apply(const Tensor& rows) const {
  if (matrix_.defined()) return (rows.matmul(matrix_) - shift_).contiguous();
  return ((rows - shift_) * scale_).contiguous();
}

}  // namespace assay::probe
