// regularise sigreg: features are pushed towards a standard normal in random directions.
#include "assay/objective/regularise/sigreg.h"

#include "assay/objective/regularise/tap_option.h"
#include "assay/tensor/flops.h"

namespace assay {

Tensor epps_pulley(const Tensor& z, const Tensor& slices, const SigregQuadrature& quadrature) {
  constexpr double kEnd = 3;
  const int64_t knots = quadrature.knots;
  const Tensor t = at::linspace(quadrature.half ? 0 : -kEnd, kEnd, knots, z.options());
  const double step = (quadrature.half ? 1 : 2) * kEnd / static_cast<double>(knots - 1);
  const Tensor weights = at::full({knots}, (quadrature.half ? 2 : 1) * step, z.options());
  weights[0] /= 2;
  weights[knots - 1] /= 2;
  const Tensor window = (t.square() / -2).exp();  // both the normal's function and the weight
  const Tensor phase = z.matmul(slices).unsqueeze(2) * t;  // [N, M, knots]
  const Tensor error = (phase.cos().mean(0) - window).square() + phase.sin().mean(0).square();
  return error.matmul(weights * window);
}

namespace {

enum class Variant { lejepa, mean, flattened };

class Sigreg : public Regularise {
 public:
  Sigreg(double weight, Variant variant, int64_t slices, SigregQuadrature quadrature, Tap tap,
         int64_t width)
      : weight_(weight),
        variant_(variant),
        slices_(slices),
        quadrature_(quadrature),
        tap_(tap),
        width_(width) {}

  std::vector<double> weights(double) const override { return {weight_}; }

  Tensor loss(const std::vector<View>& views, const Draw& draw,
              const std::vector<Tensor>&) const override {
    std::vector<Tensor> samples = tapped(views, tap_);
    const int64_t batch = samples.front().size(0), width = samples.front().size(1);
    // The same directions for all rows of a step, new ones at every draw.
    const Seed stream = draw.pattern.child("slices");
    const Tensor raw = normal_tensor(stream, {width, slices_}, 1).to(samples.front().options());
    const Tensor slices = raw / raw.norm(2, 0, true);
    if (variant_ == Variant::flattened) samples = {at::cat(samples)};
    Tensor sum;
    for (const Tensor& z : samples) {
      const double scale = variant_ == Variant::mean ? 1 : static_cast<double>(z.size(0));
      const Tensor own = epps_pulley(z, slices, quadrature_).mean() * scale;
      sum = sum.defined() ? sum + own : own;
    }
    return for_each_row(sum / static_cast<double>(samples.size()), batch);
  }
  double flops(int64_t views) const override {
    return linear_flops(static_cast<double>(width_), static_cast<double>(slices_),
                        static_cast<double>(views));
  }

 private:
  double weight_;
  Variant variant_;
  int64_t slices_;
  SigregQuadrature quadrature_;
  Tap tap_;
  int64_t width_;
};

std::shared_ptr<Regularise> make(const Options& options, const Setting& setting) {
  const std::string& name = options.text("variant");
  const Variant variant = name == "lejepa"    ? Variant::lejepa
                          : name == "eb_jepa" ? Variant::mean
                                              : Variant::flattened;
  const SigregQuadrature quadrature =
      variant == Variant::mean ? SigregQuadrature{10, false} : SigregQuadrature{17, true};
  const Tap tap = tap_of(options);
  return std::make_shared<Sigreg>(
      options.real("weight"), variant, options.integer("slices"), quadrature, tap,
      tap == Tap::prediction ? setting.target.outputs : setting.model.width);
}

}  // namespace

PartEntry<Regularise> regularise_sigreg() {
  using namespace declare;
  PartEntry<Regularise> entry;
  entry.info = {
      "regularise",
      "sigreg",
      "distance of the features' distribution over the batch from a standard normal, in random "
      "directions",
      "weight·mean over slices a of c·∫ e^(-t²/2)|ECF_{a·z}(t) - e^(-t²/2)|² dt;  lejepa: c = N, "
      "17 "
      "knots on [0, 3], mean over views;  eb_jepa: c = 1, 10 knots on [-3, 3];  flattened: all "
      "views "
      "as one sample, c = V·N",
      "Balestriero and LeCun 2025, arXiv 2511.08544; rbalestr-lab/lejepa MINIMAL.md; "
      "facebookresearch/eb_jepa BCS (966e61e); stable-pretraining methods/lejepa.py (9aa93f8)",
      {real("weight", 0.02, at_least(0), "λ; lejepa gives the invariance 1 - λ"),
       choice("variant", "lejepa", {"lejepa", "eb_jepa", "flattened"}, "which published statistic"),
       integer("slices", 256, closed(1, 65536), "random directions"), tap_option()}};
  entry.make = make;
  return entry;
}

}  // namespace assay
