// target pixels: the clean patches, as they are.
#include "assay/objective/registry.h"

namespace assay {

namespace {

class Pixels : public Target {
 public:
  Pixels(int64_t numbers, Tokens tokens) : numbers_(numbers), tokens_(tokens) {}

  TargetInfo info() const override { return {numbers_, tokens_, "x"}; }
  Tensor values(const Batch&, const Tensor& clean, const NoiseField& field) const override {
    const Tensor positions = field.positions(tokens_);
    return positions.defined() ? take_positions(clean, positions) : clean;
  }

 private:
  int64_t numbers_;
  Tokens tokens_;
};

}  // namespace

PartEntry<Target> target_pixels() {
  PartEntry<Target> entry;
  entry.info = {
      "target",
      "pixels",
      "the clean pixels (x-prediction), not normalised",
      "y_i = x_i",
      "He et al. 2022, arXiv 2111.06377 (norm_pix off); Li and He 2025, arXiv 2511.13720",
      {declare::choice("tokens", "all", {"all", "masked", "visible"}, "which tokens carry loss")}};
  entry.modality = Modality::image;
  entry.make = [](const Options& options, const Setting& setting) {
    const std::string& tokens = options.text("tokens");
    return std::make_shared<Pixels>(setting.tokens.numbers, tokens == "masked"    ? Tokens::masked
                                                            : tokens == "visible" ? Tokens::visible
                                                                                  : Tokens::all);
  };
  return entry;
}

}  // namespace assay
