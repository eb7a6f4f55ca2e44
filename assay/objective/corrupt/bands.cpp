// corrupt bands: a staircase over spatial-frequency bands: the trunk sees the coarser ones and the
// next one carries the loss.
#include <fmt/format.h>

#include "assay/objective/levels.h"

namespace assay {

namespace {

// One band per example and draw, times the number of bands: the expectation is the sum over bands,
// which is the log-likelihood of the image by the chain rule.
class Bands : public Corrupt {
 public:
  explicit Bands(std::shared_ptr<const BandSpectrum> spectrum) : spectrum_(std::move(spectrum)) {}

  std::shared_ptr<const BandSpectrum> spectrum() const override { return spectrum_; }

  NoiseField field(const RowKeys& rows, const Draw& draw,
                   const at::TensorOptions& options) const override {
    const int64_t bands = spectrum_->count();
    const auto count = static_cast<double>(bands);
    NoiseField field;
    field.spectrum = spectrum_;
    const Tensor input = at::zeros({rows.size(), bands}, at::kDouble), loss = at::zeros_like(input);
    std::vector<double> share;
    for (const double u : uniform_per_row(draw.level.child("band"), rows)) {
      const auto row = static_cast<int64_t>(share.size());
      const auto band = std::min(static_cast<int64_t>(u * count), bands - 1);
      input[row].narrow(0, 0, band).fill_(1);
      loss[row][band] = count;
      share.push_back(1 - static_cast<double>(band) / count);
    }
    field.band_input = input.to(options);
    field.band_loss = loss.to(options);
    field.level = at::tensor(share, at::kDouble).to(options);
    return field;
  }

 private:
  std::shared_ptr<const BandSpectrum> spectrum_;
};

std::shared_ptr<Corrupt> make(const Options& options, const Setting& setting) {
  const auto basis =
      options.text("basis") == "haar" ? BandSpectrum::Basis::haar : BandSpectrum::Basis::cosine;
  const int64_t octaves = options.integer("octaves");
  auto spectrum = std::make_shared<BandSpectrum>(setting.data.image_size, octaves, basis);
  if (spectrum->count() < 2)
    throw options.error("octaves", "config.bands",
                        fmt::format("images of side {} have {} band at `octaves` {}",
                                    setting.data.image_size, spectrum->count(), octaves),
                        "a staircase needs at least two");
  return std::make_shared<Bands>(std::move(spectrum));
}

}  // namespace

PartEntry<Corrupt> corrupt_bands() {
  using namespace declare;
  PartEntry<Corrupt> entry;
  entry.info = {
      "corrupt",
      "bands",
      "the bands below a random one are clean, it and all above have σ = ∞, and it carries the "
      "loss",
      "k uniform on the K bands;  z = Σ_{b < k} W_b x;  loss K·ℓ(W_k x);  W_b = projection on "
      "octave "
      "b, so that E = Σ_k ℓ(W_k x | W_{<k} x)",
      "chain rule over a wavelet or cosine pyramid; compare VAR, arXiv 2404.02905, and arXiv "
      "2510.02826",
      {choice("basis", "haar", {"haar", "cosine"},
              "haar: differences of a pyramid of block means; cosine: octaves of the DCT"),
       integer("octaves", 4, closed(2, 8), "number of bands")}};
  entry.modality = Modality::image;
  entry.make = make;
  return entry;
}

}  // namespace assay
