// The option `tokens` of targets.
#include "assay/objective/target/token_choice.h"

namespace assay {

Option tokens_option(const std::string& fallback) {
  return declare::choice("tokens", fallback, {"all", "masked", "visible", "next"},
                         "which tokens carry loss; next: each token predicts the one that follows");
}

Tokens tokens_of(const Options& options) {
  const std::string& tokens = options.text("tokens");
  if (tokens == "masked") return Tokens::masked;
  if (tokens == "visible") return Tokens::visible;
  return tokens == "next" ? Tokens::next : Tokens::all;
}

Tensor target_tokens(const Tensor& values, const NoiseField& field, Tokens which) {
  if (which == Tokens::next) return values.narrow(1, 1, values.size(1) - 1);
  return select_tokens(values, field, which);
}

}  // namespace assay
