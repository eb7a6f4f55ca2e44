// corrupt causal: a staircase over tokens, as in autoregression.
#include "assay/objective/registry.h"

namespace assay {

namespace {

// To the prediction made at token t, tokens up to t are clean and all later ones have σ = ∞. All T
// fields are evaluated in one pass by causal attention.
class Causal : public Corrupt {
 public:
  bool causal() const override { return true; }
  NoiseField field(const RowKeys&, const Draw&, const at::TensorOptions&) const override {
    NoiseField field;
    field.causal = true;
    return field;
  }
};

}  // namespace

PartEntry<Corrupt> corrupt_causal() {
  PartEntry<Corrupt> entry;
  entry.info = {"corrupt",
                "causal",
                "the prediction at token t sees tokens up to t, in raster or reading order",
                "σ_t(i) = 0 for i <= t, else ∞",
                "Radford et al. 2019 (GPT-2); karpathy/nanoGPT model.py",
                {}};
  entry.make = [](const Options&, const Setting&) { return std::make_shared<Causal>(); };
  return entry;
}

}  // namespace assay
