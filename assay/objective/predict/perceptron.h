// The perceptron of predictors and projectors.
#pragma once

#include "assay/model/linear.h"
#include "assay/objective/registry.h"

namespace assay {

/// Linear, then (layer normalisation, GELU, linear) for each further width. Published projectors
/// use batch normalisation; nothing in a head may depend on the batch, so layers are normalised
/// instead.
class Perceptron : public nn::Module {
 public:
  /// widths: of the input, hidden layers and output. last_gain: of the last layer's weights.
  Perceptron(const std::vector<int64_t>& widths, double last_gain, Seed init);
  /// [..., widths.front()] to [..., widths.back()]
  Tensor forward(const Tensor& x) const;
  double flops(double rows) const;

 private:
  std::vector<std::shared_ptr<Linear>> linears_;
  std::vector<std::shared_ptr<LayerNorm>> norms_;
};

/// round(ratio · trunk width), at least 1.
int64_t scaled_width(const Setting& setting, double ratio);

}  // namespace assay
