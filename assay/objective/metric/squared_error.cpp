// metric squared_error: summed over pixels, split into spatial-frequency bands.
#include <fmt/format.h>

#include "assay/objective/registry.h"
#include "assay/tensor/bands.h"
#include "assay/tensor/patches.h"

namespace assay {

namespace {

class SquaredError : public Metric {
 public:
  // Where only some tokens carry loss, the transform is per patch: the zeros of other patches would
  // leak into the bands of a whole image.
  SquaredError(const Setting& setting, std::optional<double> velocity_clip)
      : patch_(setting.model.patch),
        channels_(setting.data.channels),
        whole_(setting.target.tokens == Tokens::all),
        velocity_clip_(velocity_clip),
        spectrum_(whole_ ? setting.data.image_size : patch_, setting.bands) {}

  std::string unit() const override { return "squared error"; }
  double targets_per_token() const override {
    return static_cast<double>(channels_ * patch_ * patch_);
  }
  std::vector<std::string> bands() const override {
    return spectrum_.count() == 1 ? std::vector<std::string>{} : spectrum_.names();
  }

  BandLoss loss(const Tensor& prediction, const Tensor& target,
                const NoiseField& field) const override {
    const Tensor error = prediction - target;
    const int64_t batch = error.size(0), patches = error.size(1);
    const Tensor squares = whole_ ? unpatchify(error, patch_, channels_)
                                  : error.view({batch, patches * channels_, patch_, patch_});
    BandLoss out{spectrum_.energy(squares), {}};
    if (velocity_clip_)
      out.loss = out.loss / field.level.clamp_min(*velocity_clip_).square().unsqueeze(1);
    const auto repeats = static_cast<double>(squares.size(1));
    out.targets = (at::tensor(spectrum_.coefficients(), at::kDouble) * repeats)
                      .to(error.options())
                      .expand({batch, -1});
    return out;
  }

 private:
  int64_t patch_, channels_;
  bool whole_;
  std::optional<double> velocity_clip_;
  BandSpectrum spectrum_;
};

std::shared_ptr<Metric> make(const Options& options, const Setting& setting) {
  const bool velocity = options.text("space") == "v";
  return std::make_shared<SquaredError>(
      setting, velocity ? std::optional<double>(options.real("clip")) : std::nullopt);
}

}  // namespace

PartEntry<Metric> metric_squared_error() {
  using namespace declare;
  PartEntry<Metric> entry;
  entry.info = {
      "metric",
      "squared_error",
      "squared error, by octaves of its orthonormal cosine transform; in the space of x, or of the "
      "velocity v = (x - z) / s that a prediction of x implies",
      "x: |p - x|²;  v: |(p - z)/s' - (x - z)/s'|² = |p - x|² / s'²,  s' = max(s, clip)",
      "Li and He 2025, arXiv 2511.13720 (JiT: x-prediction, v-loss; 1 - t clipped at .05)",
      {choice("space", "x", {"x", "v"}, "where the error is measured"),
       real("clip", 0.05, closed(1e-4, 1), "smallest noise share to divide by, in space v")}};
  entry.modality = Modality::image;
  entry.make = make;
  return entry;
}

}  // namespace assay
