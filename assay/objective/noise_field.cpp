// The noise field: what the corruption of every objective comes down to.
#include "assay/objective/noise_field.h"

#include "assay/tensor/shape.h"

namespace assay {

Tensor NoiseField::positions(Tokens which) const {
  switch (which) {
    case Tokens::all:
      return {};
    case Tokens::masked:
      return masked;
    case Tokens::visible:
      return visible;
  }
  return {};
}

Tensor corrupt_tokens(const NoiseField& field, const Tensor& tokens, const RowKeys& rows,
                      Seed stream) {
  Tensor out = tokens;
  if (field.sigma.defined()) {
    check_shape(field.sigma, {tokens.size(0), kAny, 1}, "noise field");
    const Tensor noise = normal_rows(stream, rows, tokens.sizes().slice(1), tokens.options());
    out = at::addcmul(field.alpha * tokens, field.sigma, noise);
  }
  if (field.masked.defined() && !field.drop) {
    const Tensor index = field.masked.unsqueeze(2).expand({-1, -1, tokens.size(2)});
    out = out.scatter(1, index, 0);
  }
  return out;
}

}  // namespace assay
