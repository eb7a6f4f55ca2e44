// Keyed noise as tensors.
#include "assay/tensor/noise.h"

#include "assay/noise/noise.h"

namespace assay {

namespace {

using Fill = void (*)(Seed, int64_t, int64_t, std::span<float>);

Tensor filled_rows(Fill fill, Seed stream, const RowKeys& rows, at::IntArrayRef shape,
                   const at::TensorOptions& options) {
  std::vector<int64_t> sizes{rows.size()};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  const Tensor out = at::empty(sizes, at::kFloat);
  const auto row_size = static_cast<size_t>(c10::multiply_integers(shape));
  for (size_t b = 0; b < rows.ids.size(); ++b)
    fill(stream, rows.ids[b], rows.replicas[b], {out.data_ptr<float>() + b * row_size, row_size});
  return out.to(options);
}

}  // namespace

Tensor normal_rows(Seed stream, const RowKeys& rows, at::IntArrayRef shape,
                   const at::TensorOptions& options) {
  return filled_rows(normals, stream, rows, shape, options);
}

Tensor uniform_rows(Seed stream, const RowKeys& rows, at::IntArrayRef shape,
                    const at::TensorOptions& options) {
  return filled_rows(uniforms, stream, rows, shape, options);
}

std::vector<double> uniform_per_row(Seed stream, const RowKeys& rows) {
  std::vector<double> out(rows.ids.size());
  for (size_t b = 0; b < out.size(); ++b) out[b] = uniform(stream, rows.ids[b], rows.replicas[b]);
  return out;
}

Tensor normal_tensor(Seed stream, at::IntArrayRef shape, double deviation) {
  const Tensor out = at::empty(shape, at::kFloat);
  normals(stream, 0, 0, {out.data_ptr<float>(), static_cast<size_t>(out.numel())});
  return out.mul_(deviation);
}

}  // namespace assay
