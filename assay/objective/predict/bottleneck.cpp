// predict bottleneck: the whole view as one Gaussian code, decoded in one shot.
#include <fmt/format.h>

#include "assay/objective/predict/shared.h"

namespace assay {

namespace {

// e^±15 in variance: beyond, a step has left what float32 can train.
constexpr double kLogVarianceBound = 15;

class Bottleneck : public Predict {
 public:
  Bottleneck(int64_t latents, const DecoderConfig& config, const Setting& setting)
      : latents_(latents) {
    const int64_t width = setting.model.width;
    code_ = register_module("code",
                            std::make_shared<Linear>(width, 2 * latents, setting.init.child("code"),
                                                     output_gain(width, 2 * latents)));
    decoder_ = register_module(
        "decoder",
        std::make_shared<Decoder>(config, latents, setting.target.outputs, setting.tokens.tokens,
                                  setting.tokens.numbers > 0, setting.init.child("decoder")));
  }

  Prediction predict(const Input& input) override {
    const std::vector<Tensor> halves = code_->forward(input.encoded.mean(1)).chunk(2, 1);
    const Tensor& mean = halves[0];
    const Tensor log_variance = halves[1].clamp(-kLogVarianceBound, kLogVarianceBound);
    const Tensor noise = normal_rows(input.noise, input.rows, {latents_}, mean.options());
    const Tensor all = decoder_->generate(mean + (log_variance / 2).exp() * noise);
    return {select_tokens(all, input.field, input.which), mean, log_variance};
  }

  double flops(int64_t, int64_t predicted) const override {
    return code_->flops(1) + decoder_->flops(1, predicted);
  }

 private:
  int64_t latents_;
  std::shared_ptr<Linear> code_;
  std::shared_ptr<Decoder> decoder_;
};

void check(const Options& options, const Setting& setting) {
  check_decoder(options, setting);
  if (setting.target.tokens == Tokens::pooled || setting.target.tokens == Tokens::next)
    throw options.error(
        "kind", "config.predict",
        fmt::format("`bottleneck` in [{}] predicts all tokens at once", options.where()),
        "set target.tokens = \"all\"");
}

}  // namespace

PartEntry<Predict> predict_bottleneck() {
  PartEntry<Predict> entry;
  entry.info = {
      "predict",
      "bottleneck",
      "one Gaussian code for the whole view, sampled, then a light transformer that writes all "
      "tokens "
      "from it; with regularise.kl a variational autoencoder",
      "q(z|x) = N(μ, diag e^λ),  (μ, λ) = W mean_i h_i;  z = μ + e^(λ/2)·ε;  p = decoder(z)",
      "Kingma and Welling 2014, arXiv 1312.6114",
      decoder_options()};
  entry.info.options.insert(
      entry.info.options.begin(),
      declare::integer("latents", 64, declare::closed(1, 4096), "numbers of the code"));
  entry.check = check;
  entry.make = [](const Options& options, const Setting& setting) {
    return std::make_shared<Bottleneck>(options.integer("latents"),
                                        decoder_config(options, setting), setting);
  };
  return entry;
}

}  // namespace assay
