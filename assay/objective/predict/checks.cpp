// Refusals that predictors share.
#include <fmt/format.h>

#include "assay/objective/registry.h"

namespace assay {

void refuse_dropped_targets(const Options& options, const Setting& setting) {
  const Tokens tokens = setting.target.tokens;
  if (!setting.drops || tokens == Tokens::visible || tokens == Tokens::pooled) return;
  throw options.error("kind", "config.predict",
                      fmt::format("`{}` in [{}] cannot predict tokens that the trunk dropped",
                                  options.text("kind"), options.where()),
                      "set predict.kind = \"decoder\", or corrupt.drop = false");
}

void require_pooled(const Options& options, const Setting& setting) {
  if (setting.target.tokens == Tokens::pooled) return;
  throw options.error("kind", "config.predict",
                      fmt::format("`{}` in [{}] gives one prediction per view, and the target asks "
                                  "for one per token",
                                  options.text("kind"), options.where()),
                      "set predict.kind = \"linear\" or \"predictor\", or choose a target of the "
                      "whole view");
}

}  // namespace assay
