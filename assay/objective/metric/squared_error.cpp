// metric squared_error: summed over numbers; of pixels, split into spatial-frequency bands.
#include <fmt/format.h>

#include "assay/objective/metric/band_energy.h"

namespace assay {

namespace {

class SquaredError : public Metric {
 public:
  SquaredError(const Setting& setting, std::optional<double> velocity_clip)
      : bands_(setting), velocity_clip_(velocity_clip) {}

  std::string unit() const override { return "squared error"; }
  double targets_per_token() const override { return bands_.targets_per_token(); }
  NullForm null_form() const override { return {}; }
  double flops_per_token() const override { return bands_.flops_per_token(); }
  std::vector<std::string> bands() const override { return bands_.names(); }

  BandLoss loss(const Tensor& prediction, const Tensor& target, const NoiseField& field,
                const Tensor& token_weight) override {
    Tensor error = prediction - target;
    if (token_weight.defined()) error = error * token_weight.sqrt().unsqueeze(2);
    // The velocity implied by x̂ errs by (x̂ - x)/σ on either path; levels may differ by token.
    if (velocity_clip_) error = error / field.sigma.clamp_min(*velocity_clip_);
    return bands_.squares(error, field);
  }

 private:
  BandEnergy bands_;
  std::optional<double> velocity_clip_;
};

std::shared_ptr<Metric> make(const Options& options, const Setting& setting) {
  const bool velocity = options.text("space") == "v";
  return std::make_shared<SquaredError>(
      setting, velocity ? std::optional<double>(options.real("clip")) : std::nullopt);
}

}  // namespace

PartEntry<Metric> metric_squared_error() {
  using namespace declare;
  PartEntry<Metric> entry;
  entry.info = {
      "metric",
      "squared_error",
      "squared error, of pixels by octaves of an orthonormal transform; in the space of x, or of "
      "the "
      "velocity that a prediction of x implies",
      "x: |p - y|²;  v: |v(p) - v(x)|² = |p - x|² / σ'²,  σ' = max(σ, clip)",
      "Li and He 2025, arXiv 2511.13720 (JiT: x-prediction, v-loss; 1 - t clipped at .05)",
      {choice("space", "x", {"x", "v"}, "where the error is measured"),
       real("clip", 0.05, closed(1e-4, 1), "smallest σ to divide by, in space v")}};
  entry.make = make;
  return entry;
}

}  // namespace assay
