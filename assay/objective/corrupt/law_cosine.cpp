// law cosine: the angle of a variance-preserving path is uniform.
#include <cmath>
#include <numbers>

#include "assay/objective/registry.h"

namespace assay {

namespace {

class Cosine : public LevelLaw {
 public:
  Tensor quantile(const Tensor& uniform) const override {
    const Tensor angle = uniform * (std::numbers::pi / 2);
    return angle.sin() / (angle.sin() + angle.cos());
  }
};

}  // namespace

PartEntry<LevelLaw> law_cosine() {
  PartEntry<LevelLaw> entry;
  entry.info = {
      "law",
      "cosine",
      "the angle of the variance-preserving path is uniform, without offset",
      "α = cos(πu/2), σ = sin(πu/2),  s = σ/(α + σ)",
      "Nichol and Dhariwal 2021, arXiv 2102.09672; Salimans and Ho 2022, arXiv 2202.00512",
      {}};
  entry.make = [](const Options&, const Setting&) { return std::make_shared<Cosine>(); };
  return entry;
}

}  // namespace assay
