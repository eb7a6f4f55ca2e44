// weight variational: the weights of a discretised variational bound, in nats.
#include "assay/objective/weight/level_weight.h"

namespace assay {

namespace {

class Variational : public LevelWeight {
 public:
  using LevelWeight::LevelWeight;
  Tensor of_x(const NoiseField& field) const override { return field.bound; }
  std::string unit(const std::string&) const override { return "nat"; }
};

}  // namespace

PartEntry<Weight> weight_variational() {
  PartEntry<Weight> entry;
  entry.info = {"weight",
                "variational",
                "the diffusion term of the variational bound at K levels; what it leaves out, "
                "reconstruction at "
                "the cleanest level and prior, does not depend on parameters",
                "K/2·(SNR_(i-1) - SNR_i)·|x̂ - x|²",
                "Kingma et al. 2021, arXiv 2107.00630 (VDM), eq. 13",
                {}};
  entry.make = [](const Options& options, const Setting& setting) {
    if (!setting.bound)
      throw options.error("kind", "config.loss_space",
                          "a variational weight needs the levels of a bound",
                          "set corrupt.law = { kind = \"steps\" }");
    return std::make_shared<Variational>(setting.target.parametrisation);
  };
  return entry;
}

}  // namespace assay
