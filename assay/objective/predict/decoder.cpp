// predict decoder: a light transformer with mask tokens in place of what the trunk dropped.
#include <fmt/format.h>

#include "assay/objective/predict/shared.h"

namespace assay {

namespace {

class DecoderHead : public Predict {
 public:
  DecoderHead(const DecoderConfig& config, const Setting& setting) {
    decoder_ = register_module(
        "decoder", std::make_shared<Decoder>(config, setting.model.width, setting.target.outputs,
                                             setting.tokens.tokens, setting.tokens.numbers > 0,
                                             setting.init.child("decoder")));
  }

  Prediction predict(const Input& input) override {
    const NoiseField& field = input.field;
    const int64_t visible = field.visible.size(1), masked = field.masked.size(1);
    const auto rows = [&](int64_t first, int64_t count) {
      return decoder_->forward(input.encoded, field.visible, field.masked, first, count);
    };
    if (input.which == Tokens::visible) return {rows(0, visible), {}, {}};
    if (input.which == Tokens::masked) return {rows(visible, masked), {}, {}};
    const Tensor natural = at::cat({field.visible, field.masked}, 1).argsort(int64_t{1});
    return {take_positions(rows(0, visible + masked), natural), {}, {}};
  }

  double flops(int64_t encoded, int64_t predicted) const override {
    return decoder_->flops(encoded, predicted);
  }

 private:
  std::shared_ptr<Decoder> decoder_;
};

void check(const Options& options, const Setting& setting) {
  if (!setting.drops)
    throw options.error(
        "kind", "config.predict",
        fmt::format("`decoder` in [{}] fills in dropped tokens, and none are dropped",
                    options.where()),
        "set corrupt.drop = true, or predict.kind = \"linear\"");
  if (setting.target.tokens == Tokens::pooled || setting.target.tokens == Tokens::next)
    throw options.error(
        "kind", "config.predict",
        fmt::format("`decoder` in [{}] predicts tokens of a masked sequence", options.where()),
        "set predict.kind = \"linear\"");
  check_decoder(options, setting);
}

}  // namespace

PartEntry<Predict> predict_decoder() {
  PartEntry<Predict> entry;
  entry.info = {
      "predict",
      "decoder",
      "a narrow transformer over all positions, with one learned token for the dropped ones: the "
      "decoder of MAE, the predictor of I-JEPA",
      "p = W·norm(blocks([E h_visible; m] + positions))",
      "He et al. 2022, arXiv 2111.06377, section 3; facebookresearch/mae models_mae.py",
      decoder_options()};
  entry.check = check;
  entry.make = [](const Options& options, const Setting& setting) {
    return std::make_shared<DecoderHead>(decoder_config(options, setting), setting);
  };
  return entry;
}

}  // namespace assay
