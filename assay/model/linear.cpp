// Linear layer and layer normalisation, initialised without the global generator.
#include "assay/model/linear.h"

#include <cmath>

#include "assay/tensor/flops.h"
#include "assay/tensor/noise.h"

namespace assay {

Linear::Linear(int64_t in, int64_t out, Seed init, double gain) {
  const double deviation = gain * std::sqrt(2.0 / static_cast<double>(in + out));
  weight = register_parameter("weight", normal_tensor(init, {out, in}, deviation));
  bias = register_parameter("bias", at::zeros({out}));
}

double Linear::flops(double rows) const {
  return linear_flops(static_cast<double>(weight.size(1)), static_cast<double>(weight.size(0)),
                      rows);
}

LayerNorm::LayerNorm(int64_t width) {
  weight = register_parameter("weight", at::ones({width}));
  bias = register_parameter("bias", at::zeros({width}));
}

Tensor LayerNorm::forward(const Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, 1e-5);
}

}  // namespace assay
