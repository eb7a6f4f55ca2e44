// Keyed noise as tensors: row b is a function of (stream, id of example b, its replica) alone.
#pragma once

#include "assay/core/seed.h"
#include "assay/tensor/torch.h"

namespace assay {

/// Who the rows of a batch are. Both spans have length B.
struct RowKeys {
  std::span<const int64_t> ids, replicas;

  int64_t size() const { return static_cast<int64_t>(ids.size()); }
};

// Drawn on the CPU in float32 by assay/noise, then moved to `options`: the same numbers on every
// device, in every batch composition, for every number of threads and for float64 runs.

/// Standard normal [B, shape...].
Tensor normal_rows(Seed stream, const RowKeys& rows, at::IntArrayRef shape,
                   const at::TensorOptions& options);

/// Uniform on (0, 1) [B, shape...].
Tensor uniform_rows(Seed stream, const RowKeys& rows, at::IntArrayRef shape,
                    const at::TensorOptions& options);

/// One uniform on (0, 1) of 52 bits per row. [B]
std::vector<double> uniform_per_row(Seed stream, const RowKeys& rows);

/// Normal with standard deviation `deviation`, float32 on the CPU: initial parameters.
Tensor normal_tensor(Seed stream, at::IntArrayRef shape, double deviation);

}  // namespace assay
