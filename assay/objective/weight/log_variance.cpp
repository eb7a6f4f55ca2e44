// weight log_variance: each noise level's loss over its own learned scale.
#include "assay/model/linear.h"
#include "assay/model/positions.h"
#include "assay/objective/weight/level_weight.h"

namespace assay {

namespace {

// u(s) is a linear map of the level's code, zero to start with.
class LogVariance : public Weight {
 public:
  explicit LogVariance(Seed init) {
    scale_ = register_module("scale",
                             std::make_shared<Linear>(kLevelFeatures, 1, init.child("scale"), 0));
  }
  BandLoss at_level(const BandLoss& loss, const NoiseField& field) override {
    const Tensor u = scale_->forward(level_features(field.level));  // [B, 1]
    return {loss.loss * (-u).exp() + loss.targets * u, loss.targets};
  }
  std::string unit(const std::string& of_metric) const override {
    return of_metric + " over its scale";
  }

 private:
  std::shared_ptr<Linear> scale_;
};

}  // namespace

PartEntry<Weight> weight_log_variance() {
  PartEntry<Weight> entry;
  entry.info = {
      "weight",
      "log_variance",
      "every noise level counts alike: its loss over a learned scale, plus the scale's log",
      "e^(-u(s))·ℓ + u(s)·n,  best u = ln(ℓ/n)",
      "Karras et al. 2024, arXiv 2312.02696 (EDM2); NVlabs/edm2 training_loop.py",
      {}};
  entry.make = [](const Options& options, const Setting& setting) {
    require_levels(options, setting);
    return std::make_shared<LogVariance>(setting.init.child("weight"));
  };
  return entry;
}

}  // namespace assay
