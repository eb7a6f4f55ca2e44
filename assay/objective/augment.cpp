// Random crops, flips and colours of images, replayable by draw.
#include "assay/objective/augment.h"

#include <fmt/format.h>

#include <cmath>

namespace assay {

namespace {

constexpr int64_t kUniforms =
    8;  // per row: area, x, y, flip, brightness, contrast, saturation, grey
constexpr double kBrightness = 0.4, kContrast = 0.4, kSaturation = 0.4;  // of SimCLR at strength 1

// Of ITU-R BT.601, as torchvision's rgb_to_grayscale.
Tensor grey_of(const Tensor& images) {
  const Tensor weights = at::tensor({0.299, 0.587, 0.114}, images.options()).view({1, 3, 1, 1});
  return (images * weights).sum(1, true);
}

// [B] to [B, 1, 1, 1]: factors uniform on 1 ± spread.
Tensor factors(const Tensor& uniforms, int64_t column, double spread) {
  return ((uniforms.select(1, column) * 2 - 1) * spread + 1).view({-1, 1, 1, 1});
}

// Pixels lie in -1 … 1; brightness and contrast act on 0 … 1, as in torchvision.
Tensor jittered(const Tensor& images, const Tensor& uniforms, const Augmentation& augmentation) {
  const double strength = augmentation.colour;
  Tensor out = (images + 1) / 2;
  out = (out * factors(uniforms, 4, strength * kBrightness)).clamp(0, 1);
  const Tensor mean = grey_of(out).mean({1, 2, 3}, true);
  out = (mean + (out - mean) * factors(uniforms, 5, strength * kContrast)).clamp(0, 1);
  const Tensor grey = grey_of(out);
  out = (grey + (out - grey) * factors(uniforms, 6, strength * kSaturation)).clamp(0, 1);
  return out * 2 - 1;
}

}  // namespace

Tensor augmented(const Tensor& images, const RowKeys& rows, Seed stream, int64_t side,
                 const Augmentation& augmentation) {
  const int64_t batch = images.size(0);
  const Tensor u = uniform_rows(stream, rows, {kUniforms}, images.options());
  const Tensor area =
      u.select(1, 0) * (augmentation.largest - augmentation.smallest) + augmentation.smallest;
  const Tensor scale = area.sqrt();  // half width of the crop; the image spans -1 … 1
  const Tensor flip = at::where(u.select(1, 3) < augmentation.flip, -scale, scale);
  const Tensor theta = at::zeros({batch, 2, 3}, images.options());
  theta.select(1, 0).select(1, 0).copy_(flip);
  theta.select(1, 0).select(1, 2).copy_((u.select(1, 1) * 2 - 1) * (1 - scale));
  theta.select(1, 1).select(1, 1).copy_(scale);
  theta.select(1, 1).select(1, 2).copy_((u.select(1, 2) * 2 - 1) * (1 - scale));
  const Tensor grid = at::affine_grid_generator(theta, {batch, images.size(1), side, side}, false);
  // Bilinear (0), border padding (1), pixel centres: a crop of the whole image is the image.
  Tensor out = at::grid_sampler_2d(images, grid, 0, 1, false);
  if (images.size(1) == 3 && augmentation.colour > 0) out = jittered(out, u, augmentation);
  if (images.size(1) == 3 && augmentation.grey > 0)
    out = at::where((u.select(1, 7) < augmentation.grey).view({-1, 1, 1, 1}), grey_of(out), out);
  return out;
}

std::vector<Option> augmentation_options(double smallest, double largest) {
  using namespace declare;
  return {
      real("smallest", smallest, {0, 1, true, false}, "least share of the area that a crop covers"),
      real("largest", largest, {0, 1, true, false}, "largest share of the area"),
      real("flip", 0.5, closed(0, 1), "probability of a mirror image"),
      real("colour", 0.0, closed(0, 1),
           "strength of brightness, contrast and saturation jitter; 1 = as SimCLR (.4 each)"),
      real("grey", 0.0, closed(0, 1), "probability of a grey image")};
}

Augmentation augmentation(const Options& options) {
  const Augmentation out{options.real("smallest"), options.real("largest"), options.real("flip"),
                         options.real("colour"), options.real("grey")};
  if (out.smallest > out.largest)
    throw options.error(
        "smallest", "config.range",
        fmt::format("`smallest` {} exceeds `largest` {}", out.smallest, out.largest),
        "both are shares of the image's area");
  return out;
}

}  // namespace assay
