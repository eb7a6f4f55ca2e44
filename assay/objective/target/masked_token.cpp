// target masked_token: the byte that stood where a token is masked.
#include "assay/objective/target/token_choice.h"

namespace assay {

namespace {

class MaskedToken : public Target {
 public:
  TargetInfo info() const override {
    TargetInfo info{256, Tokens::masked, "class"};
    info.classes = {256};
    return info;
  }
  Tensor values(const View& view) override {
    return target_tokens(view.clean, view.field, Tokens::masked);
  }
};

}  // namespace

PartEntry<Target> target_masked_token() {
  PartEntry<Target> entry;
  entry.info = {"target",
                "masked_token",
                "the byte at each masked token, one of 256",
                "y_i = x_i where σ(i) = ∞",
                "Devlin et al. 2019, arXiv 1810.04805 (BERT), every masked token replaced",
                {}};
  entry.modality = Modality::text;
  entry.make = [](const Options&, const Setting&) { return std::make_shared<MaskedToken>(); };
  return entry;
}

}  // namespace assay
