// target pixels: the clean patches, the noise in them, or the velocity between the two.
#include <fmt/format.h>

#include "assay/objective/target/token_choice.h"

namespace assay {

namespace {

constexpr double kNormaliseEpsilon = 1e-6;  // of MAE

class Pixels : public Target {
 public:
  Pixels(int64_t numbers, Tokens tokens, std::string predict, bool normalise)
      : numbers_(numbers), tokens_(tokens), predict_(std::move(predict)), normalise_(normalise) {}

  TargetInfo info() const override {
    TargetInfo info{numbers_, tokens_, predict_};
    info.pixels = true;
    info.follows = tokens_ == Tokens::next;
    return info;
  }
  // On the linear path v = ε - x has a mean that no level moves; on the other it is -σ·E x.
  Tensor mean_scale(const NoiseField& field) const override {
    return predict_ == "v" && field.path == Path::variance_preserving ? field.sigma : Tensor();
  }
  Tensor values(const View& view) override {
    Tensor values = view.clean;
    if (normalise_) {
      const auto [variance, mean] = at::var_mean(values, at::IntArrayRef({-1}), true, true);
      values = (values - mean) / (variance + kNormaliseEpsilon).sqrt();
    }
    const NoiseField& field = view.field;
    if (predict_ == "eps") values = view.input.noise;
    if (predict_ == "v")
      values = field.path == Path::linear ? view.input.noise - values
                                          : field.alpha * view.input.noise - field.sigma * values;
    return target_tokens(values, field, tokens_);
  }

 private:
  int64_t numbers_;
  Tokens tokens_;
  std::string predict_;
  bool normalise_;
};

std::shared_ptr<Target> make(const Options& options, const Setting& setting) {
  const std::string& predict = options.text("predict");
  if (predict != "x" && !setting.levels)
    throw options.error(
        "predict", "config.loss_space",
        fmt::format("[{}] asks for `{}`, and no noise is mixed in", options.where(), predict),
        "set predict = \"x\", or corrupt.kind = \"level\"");
  const bool normalise = options.text("normalise") == "patch";
  if (normalise && (predict != "x" || setting.spectrum))
    throw options.error("normalise", "config.loss_space",
                        fmt::format("[{}]: only clean patches can be normalised", options.where()),
                        "set normalise = \"none\", or predict = \"x\" without bands");
  return std::make_shared<Pixels>(setting.tokens.numbers, tokens_of(options), predict, normalise);
}

}  // namespace

PartEntry<Target> target_pixels() {
  using namespace declare;
  PartEntry<Target> entry;
  entry.info = {"target",
                "pixels",
                "the clean pixels x, the noise ε, or the velocity v along the path from x to ε",
                "x: y_i = x_i;  eps: y_i = ε_i;  v: ε - x on the linear path, α·ε - σ·x on the "
                "variance-preserving one;  normalise: (x_i - mean_i)/√(var_i + 1e-6), var unbiased",
                "He et al. 2022, arXiv 2111.06377 (norm_pix); Salimans and Ho 2022, arXiv "
                "2202.00512 (v); El-Nouby "
                "et al. 2024, arXiv 2401.08541 (next patch)",
                {tokens_option(),
                 choice("predict", "x", {"x", "eps", "v"}, "what of the noisy input is asked for"),
                 choice("normalise", "none", {"none", "patch"},
                        "patch: each patch to mean 0 and variance 1")}};
  entry.modality = Modality::image;
  entry.make = make;
  return entry;
}

}  // namespace assay
