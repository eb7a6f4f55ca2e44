// weight tokens: masked and visible tokens count differently.
#include <fmt/format.h>

#include "assay/objective/registry.h"

namespace assay {

namespace {

class TokenWeight : public Weight {
 public:
  TokenWeight(double masked, double visible, int64_t tokens)
      : masked_(masked), visible_(visible), tokens_(tokens) {}

  Tensor tokens(const NoiseField& field, Tokens) const override {
    const Tensor weights = at::full({field.masked.size(0), tokens_}, visible_,
                                    at::TensorOptions(at::kFloat).device(field.masked.device()));
    return weights.scatter(1, field.masked, masked_);
  }

 private:
  double masked_, visible_;
  int64_t tokens_;
};

}  // namespace

PartEntry<Weight> weight_tokens() {
  using namespace declare;
  PartEntry<Weight> entry;
  entry.info = {"weight",
                "tokens",
                "masked and visible tokens count differently",
                "w_i = masked where σ(i) = ∞, else visible",
                "dense prediction of V-JEPA 2.1, without its distance weights",
                {real("masked", 1.0, at_least(0), "weight of masked tokens"),
                 real("visible", 0.1, at_least(0), "weight of visible tokens")}};
  entry.make = [](const Options& options, const Setting& setting) {
    if (setting.masked == 0 || setting.target.tokens != Tokens::all)
      throw options.error(
          "kind", "config.no_masked_tokens",
          fmt::format("[{}] tells masked from visible tokens, and the loss is not on "
                      "both",
                      options.where()),
          "set target.tokens = \"all\" and corrupt.kind = \"mask\"");
    return std::make_shared<TokenWeight>(options.real("masked"), options.real("visible"),
                                         setting.tokens.tokens);
  };
  return entry;
}

}  // namespace assay
