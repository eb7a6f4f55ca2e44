// Losses of tokens to losses of examples.
#include "assay/objective/metric/token_sum.h"

namespace assay {

BandLoss token_sum(const Tensor& per_token, const Tensor& weight, double targets) {
  const Tensor sum = (weight.defined() ? per_token * weight : per_token).sum(1, true);
  const double count = targets * static_cast<double>(per_token.size(1));
  return {sum, at::full(sum.sizes(), count, sum.options().requires_grad(false))};
}

}  // namespace assay
