// Fixed sine-cosine codes of positions and noise levels.
#include "assay/model/positions.h"

#include <cmath>

namespace assay {

namespace {

// [n] to [n, width]: sines, then cosines.
Tensor waves(const Tensor& values, int64_t width) {
  const int64_t half = width / 2;
  const Tensor frequencies =
      at::exp(at::arange(half, values.options()) * (-std::log(1e4) / static_cast<double>(half)));
  const Tensor angles = values.unsqueeze(1) * frequencies;
  return at::cat({angles.sin(), angles.cos()}, 1);
}

}  // namespace

Tensor line_positions(int64_t tokens, int64_t width) {
  return waves(at::arange(tokens, at::kDouble), width).to(at::kFloat);
}

Tensor grid_positions(int64_t grid, int64_t width, int64_t extent) {
  const double scale = extent == 0 ? 1 : static_cast<double>(extent) / static_cast<double>(grid);
  const Tensor centres = (at::arange(grid, at::kDouble) + 0.5) * scale - 0.5;
  const Tensor codes = waves(centres, width / 2);  // [g, width/2]
  const Tensor rows = codes.unsqueeze(1).expand({grid, grid, width / 2});
  const Tensor columns = codes.unsqueeze(0).expand({grid, grid, width / 2});
  return at::cat({rows, columns}, 2).reshape({grid * grid, width}).to(at::kFloat);
}

Tensor level_features(const Tensor& share) { return waves(1000 * share, kLevelFeatures); }

}  // namespace assay
