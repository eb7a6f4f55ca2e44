// weight edm: unit weight on what EDM's preconditioned network puts out.
#include "assay/objective/weight/level_weight.h"

namespace assay {

namespace {

class Edm : public LevelWeight {
 public:
  Edm(double data_sd, const std::string& parametrisation)
      : LevelWeight(parametrisation), data_variance_(data_sd * data_sd) {}
  // σ̃ = σ/α: ((σ̃² + σd²)/(σ̃ σd))^2 / (σ̃² + σd²) … written as SNR + 1/σd².
  Tensor of_x(const NoiseField& field) const override { return field.snr() + 1 / data_variance_; }

 private:
  double data_variance_;
};

}  // namespace

PartEntry<Weight> weight_edm() {
  using namespace declare;
  PartEntry<Weight> entry;
  entry.info = {"weight",
                "edm",
                "EDM's weight: the network's own output counts alike at all levels",
                "λ·|x̂ - x|² with λ = (σ̃² + σd²)/(σ̃·σd)² = SNR + 1/σd²,  σ̃ = σ/α;  at σd = 1 it is "
                "v-prediction",
                "Karras et al. 2022, arXiv 2206.00364, eq. 8; NVlabs/edm training/loss.py",
                {real("data_sd", 0.5, above(0), "σd, standard deviation of the data")}};
  entry.make = [](const Options& options, const Setting& setting) {
    require_levels(options, setting);
    return std::make_shared<Edm>(options.real("data_sd"), setting.target.parametrisation);
  };
  return entry;
}

}  // namespace assay
