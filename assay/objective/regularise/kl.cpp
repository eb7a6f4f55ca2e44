// regularise kl: what a Gaussian bottleneck's code costs, in nats.
#include <fmt/format.h>

#include "assay/objective/registry.h"

namespace assay {

namespace {

class Kl : public Regularise {
 public:
  Kl(double beta, double free_nats) : beta_(beta), free_nats_(free_nats) {}

  std::vector<double> weights(double) const override { return {beta_}; }
  // Divided by the targets of its term, so that β = 1 is the evidence lower bound.
  double expected_targets(double of_term) const override { return of_term; }
  std::string unit() const override { return "nat"; }
  bool coupled() const override { return false; }
  bool prevents_collapse() const override { return false; }

  Tensor loss(const std::vector<View>& views, const Draw&,
              const std::vector<Tensor>&) const override {
    Tensor sum;
    for (const View& view : views) {
      const auto& [values, mean, log_variance] = view.prediction;
      Tensor each = (mean.square() + log_variance.exp() - 1 - log_variance) / 2;
      if (free_nats_ > 0) each = each.clamp_min(free_nats_);
      const Tensor own = each.sum(1, true);
      sum = sum.defined() ? sum + own : own;
    }
    return sum;
  }

 private:
  double beta_, free_nats_;
};

}  // namespace

PartEntry<Regularise> regularise_kl() {
  using namespace declare;
  PartEntry<Regularise> entry;
  entry.info = {
      "regularise",
      "kl",
      "Kullback-Leibler divergence of the code from a standard normal; β = 1 makes the sum "
      "the negative evidence lower bound",
      "β·Σ_d max(½(μ_d² + e^λ_d - 1 - λ_d), free)",
      "Kingma and Welling 2014, arXiv 1312.6114; Higgins et al. 2017 (β); Kingma et al. 2016, "
      "arXiv 1606.04934 (free bits)",
      {real("beta", 1.0, at_least(0), "β"),
       real("free_nats", 0.0, at_least(0), "nats that each number of the code has for free")}};
  entry.make = [](const Options& options, const Setting& setting) {
    if (!setting.bottleneck)
      throw options.error("kind", "config.regularise",
                          fmt::format("[{}] needs a Gaussian bottleneck", options.where()),
                          "set predict.kind = \"bottleneck\"");
    return std::make_shared<Kl>(options.real("beta"), options.real("free_nats"));
  };
  return entry;
}

}  // namespace assay
