// What corruptions with noise levels share.
#include "assay/objective/levels.h"

namespace assay {

Tensor level_uniforms(const RowKeys& rows, const Draw& draw, int64_t bins,
                      std::vector<int>& level_bin) {
  std::vector<double> u = uniform_per_row(draw.level.child("level"), rows);
  const auto count = static_cast<double>(bins);
  for (double& value : u) {
    if (draw.level_bin) value = (*draw.level_bin + value) / count;
    level_bin.push_back(
        draw.level_bin.value_or(static_cast<int>(std::min(value * count, count - 1))));
  }
  return at::tensor(u, at::kDouble);
}

Option path_option() {
  return declare::choice("path", "linear", {"linear", "variance_preserving"},
                         "how signal and noise are scaled at the same ratio");
}

Path path_of(const Options& options) {
  return options.text("path") == "linear" ? Path::linear : Path::variance_preserving;
}

}  // namespace assay
