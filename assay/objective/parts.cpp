// Defaults that several parts share.
#include "assay/objective/parts.h"

namespace assay {

std::vector<Comparison> Target::comparisons(const std::vector<View>& views) {
  std::vector<Comparison> out;
  for (size_t v = 0; v < views.size(); ++v) out.push_back({v, values(views[v])});
  return out;
}

std::vector<Tensor> tapped(const std::vector<View>& views, Tap tap) {
  std::vector<Tensor> out;
  for (const View& view : views)
    out.push_back((tap == Tap::prediction ? view.prediction.values : view.encoded).mean(1));
  return out;
}

}  // namespace assay
