// The perceptron of predictors and projectors.
#include "assay/objective/predict/perceptron.h"

#include <fmt/format.h>

#include <cmath>

namespace assay {

Perceptron::Perceptron(const std::vector<int64_t>& widths, double last_gain, Seed init) {
  for (size_t i = 0; i + 1 < widths.size(); ++i) {
    const bool last = i + 2 == widths.size();
    linears_.push_back(register_module(
        fmt::format("linear_{}", i),
        std::make_shared<Linear>(widths[i], widths[i + 1], init.child("perceptron").child(i),
                                 last ? last_gain : 1)));
    if (!last)
      norms_.push_back(
          register_module(fmt::format("norm_{}", i), std::make_shared<LayerNorm>(widths[i + 1])));
  }
}

Tensor Perceptron::forward(const Tensor& x) const {
  Tensor out = linears_.front()->forward(x);
  for (size_t i = 1; i < linears_.size(); ++i)
    out = linears_[i]->forward(at::gelu(norms_[i - 1]->forward(out)));
  return out;
}

double Perceptron::flops(double rows) const {
  double sum = 0;
  for (const auto& linear : linears_) sum += linear->flops(rows);
  return sum;
}

int64_t scaled_width(const Setting& setting, double ratio) {
  return std::max<int64_t>(1, std::lround(ratio * static_cast<double>(setting.model.width)));
}

}  // namespace assay
