// law log_normal: the logarithm of the noise-to-signal ratio is normal.
#include "assay/objective/registry.h"

namespace assay {

namespace {

class LogNormal : public LevelLaw {
 public:
  LogNormal(double mean, double deviation) : mean_(mean), deviation_(deviation) {}
  Tensor quantile(const Tensor& uniform) const override {
    return at::sigmoid(at::special_ndtri(uniform) * deviation_ + mean_);
  }

 private:
  double mean_, deviation_;
};

}  // namespace

PartEntry<LevelLaw> law_log_normal() {
  using namespace declare;
  PartEntry<LevelLaw> entry;
  entry.info = {
      "law",
      "log-normal",
      "EDM's law of the noise level; since logit s = ln(σ/α), it is logit-normal with -mean",
      "ln(σ/α) ~ N(mean, sd²),  s = sigmoid(mean + sd·Φ⁻¹(u))",
      "Karras et al. 2022, arXiv 2206.00364, table 1 (P_mean, P_std)",
      {real("mean", -1.2, closed(-10, 10), "of ln(σ/α)"), real("sd", 1.2, above(0), "of ln(σ/α)")}};
  entry.make = [](const Options& options, const Setting&) {
    return std::make_shared<LogNormal>(options.real("mean"), options.real("sd"));
  };
  return entry;
}

}  // namespace assay
