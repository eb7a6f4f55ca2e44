// The noise field: what the corruption of every objective comes down to.
#include "assay/objective/noise_field.h"

#include <cmath>

#include "assay/model/trunk.h"
#include "assay/tensor/patches.h"
#include "assay/tensor/shape.h"

namespace assay {

Tensor NoiseField::positions(Tokens which) const {
  switch (which) {
    case Tokens::masked:
      return masked;
    case Tokens::visible:
      return visible;
    case Tokens::all:
      return {};
    case Tokens::next:
    case Tokens::pooled:
      break;
  }
  throw Error("internal.tokens", "next and pooled tokens have no positions of their own");
}

Tensor NoiseField::snr() const { return (alpha / sigma).square().view({-1}); }

std::pair<Tensor, Tensor> mixing(const Tensor& share, Path path) {
  const Tensor signal = 1 - share;
  if (path == Path::linear) return {signal, share};
  const Tensor norm = (signal.square() + share.square()).sqrt();
  return {signal / norm, share / norm};
}

Corrupted corrupt_tokens(const NoiseField& field, const Tensor& tokens, const RowKeys& rows,
                         Seed stream, int64_t channels) {
  Corrupted out{tokens, {}};
  if (field.band_input.defined()) {
    const auto patch = static_cast<int64_t>(
        std::lround(std::sqrt(static_cast<double>(tokens.size(2) / channels))));
    const Tensor images = unpatchify(tokens, patch, channels);
    out.tokens = patchify(field.spectrum->filter(images, field.band_input), patch);
  }
  if (field.sigma.defined()) {
    check_shape(field.sigma, {tokens.size(0), kAny, 1}, "noise field");
    out.noise = normal_rows(stream, rows, tokens.sizes().slice(1), tokens.options());
    out.tokens = at::addcmul(field.alpha * out.tokens, field.sigma, out.noise);
  }
  return out;
}

Tensor select_tokens(const Tensor& values, const NoiseField& field, Tokens which) {
  if (which == Tokens::pooled) return values.mean(1, true);
  if (which == Tokens::next) return values.narrow(1, 0, values.size(1) - 1);
  const Tensor positions = field.positions(which);
  return positions.defined() ? take_positions(values, positions) : values;
}

}  // namespace assay
