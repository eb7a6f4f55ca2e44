// target quantised_pixels: each number of a patch as one of a few classes.
#include "assay/objective/target/token_choice.h"

namespace assay {

namespace {

class QuantisedPixels : public Target {
 public:
  QuantisedPixels(int64_t numbers, int64_t levels, Tokens tokens)
      : numbers_(numbers), levels_(levels), tokens_(tokens) {}

  TargetInfo info() const override {
    TargetInfo info{numbers_ * levels_, tokens_, "class"};
    info.classes.assign(static_cast<size_t>(numbers_), levels_);
    info.follows = tokens_ == Tokens::next;
    return info;
  }
  Tensor values(const View& view) override {
    const auto levels = static_cast<double>(levels_);
    const Tensor classes = ((view.clean + 1) * (levels / 2)).floor().clamp(0, levels - 1);
    return target_tokens(classes.to(at::kLong), view.field, tokens_);
  }

 private:
  int64_t numbers_, levels_;
  Tokens tokens_;
};

}  // namespace

PartEntry<Target> target_quantised_pixels() {
  using namespace declare;
  PartEntry<Target> entry;
  entry.info = {
      "target",
      "quantised_pixels",
      "each number of the patch as a class: equal steps over -1 … 1, ends included in the "
      "outer classes",
      "y = clip(⌊(x + 1)/2 · levels⌋, 0, levels - 1), independent given the input",
      "Chen et al. 2020 (iGPT, openai/image-gpt), there one of 512 clustered colours",
      {tokens_option("next"), integer("levels", 16, closed(2, 256), "classes per number")}};
  entry.modality = Modality::image;
  entry.make = [](const Options& options, const Setting& setting) {
    return std::make_shared<QuantisedPixels>(setting.tokens.numbers, options.integer("levels"),
                                             tokens_of(options));
  };
  return entry;
}

}  // namespace assay
