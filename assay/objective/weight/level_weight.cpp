// Weights that are functions of the noise level.
#include "assay/objective/weight/level_weight.h"

#include <fmt/format.h>

namespace assay {

BandLoss LevelWeight::at_level(const BandLoss& loss, const NoiseField& field) {
  Tensor weight = of_x(field);
  if (parametrisation_ == "eps") weight = weight / field.snr();
  if (parametrisation_ == "v") weight = weight * field.sigma.view({-1}).square();
  return {loss.loss * weight.unsqueeze(1), loss.targets};
}

void require_levels(const Options& options, const Setting& setting) {
  if (setting.levels && setting.levels_per_example == 1 && setting.target.pixels) return;
  throw options.error(
      "kind", "config.loss_space",
      fmt::format("`{}` in [{}] needs pixels at one finite noise level", options.text("kind"),
                  options.where()),
      "set corrupt.kind = \"level\" and target.kind = \"pixels\", or weight.kind = \"constant\"");
}

}  // namespace assay
