// law logit-normal: the logit of the signal share is normal.
#include "assay/objective/registry.h"

namespace assay {

namespace {

class LogitNormal : public LevelLaw {
 public:
  LogitNormal(double mean, double deviation) : mean_(mean), deviation_(deviation) {}
  Tensor quantile(const Tensor& uniform) const override {
    return at::sigmoid(at::special_ndtri(uniform) * deviation_ - mean_);
  }

 private:
  double mean_, deviation_;
};

}  // namespace

PartEntry<LevelLaw> law_logit_normal() {
  using namespace declare;
  PartEntry<LevelLaw> entry;
  entry.info = {
      "law",
      "logit-normal",
      "noise shares around one level; mean and sd are those of logit t, t = 1 - s the signal share",
      "s = 1 - sigmoid(N(mean, sd²)) = sigmoid(sd·Φ⁻¹(u) - mean)",
      "Esser et al. 2024, arXiv 2403.03206; the defaults are JiT's, arXiv 2511.13720",
      {real("mean", -0.8, closed(-10, 10), "of the logit of the signal share"),
       real("sd", 0.8, above(0), "of the logit of the signal share")}};
  entry.make = [](const Options& options, const Setting&) {
    return std::make_shared<LogitNormal>(options.real("mean"), options.real("sd"));
  };
  return entry;
}

}  // namespace assay
