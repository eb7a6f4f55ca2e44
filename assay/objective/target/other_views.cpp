// target other_views: the predictions of the other views of an example.
#include "assay/objective/registry.h"

namespace assay {

namespace {

class OtherViews : public Target {
 public:
  OtherViews(int64_t outputs, bool mean, bool stop_gradient)
      : outputs_(outputs), mean_(mean), stop_gradient_(stop_gradient) {}

  TargetInfo info() const override {
    TargetInfo info{outputs_, Tokens::pooled, "feature"};
    info.least_views = 2;
    info.caution = "relative to the objective's own outputs at this checkpoint";
    if (mean_) info.caution += "; the target holds a share of the prediction";
    return info;
  }
  bool reads_predictions() const override { return true; }
  Tensor values(const View& view) override { return view.prediction.values; }

  std::vector<Comparison> comparisons(const std::vector<View>& views) override {
    std::vector<Comparison> out;
    const auto add = [&](size_t v, const Tensor& target) {
      out.push_back({v, stop_gradient_ ? target.detach() : target});
    };
    if (mean_) {
      Tensor sum = values(views.front());
      for (size_t v = 1; v < views.size(); ++v) sum = sum + values(views[v]);
      for (size_t v = 0; v < views.size(); ++v) add(v, sum / static_cast<double>(views.size()));
      return out;
    }
    for (size_t v = 0; v < views.size(); ++v)
      for (size_t w = 0; w < views.size(); ++w)
        if (v != w) add(v, values(views[w]));
    return out;
  }
  int64_t comparisons(int64_t views) const override { return mean_ ? views : views * (views - 1); }
  std::string collapse(bool own_predictor) const override {
    if (stop_gradient_ && own_predictor) return {};
    return "one constant for all examples makes all views agree";
  }

 private:
  int64_t outputs_;
  bool mean_, stop_gradient_;
};

}  // namespace

PartEntry<Target> target_other_views() {
  using namespace declare;
  PartEntry<Target> entry;
  entry.info = {
      "target",
      "other_views",
      "what is predicted of the other views of the same example, or of their mean",
      "each: pairs (v, w), v ≠ w, y_v = z_w;  mean: y_v = (1/V) Σ_w z_w, gradient through both "
      "sides "
      "unless stop_gradient;  Σ_v |z_v - z̄|² = Σ_{v≠w} |z_v - z_w|²/(2V)",
      "pairs: SimCLR, VICReg; mean: rbalestr-lab/lejepa MINIMAL.md",
      {integer("outputs", 64, closed(1, 65536), "numbers of a prediction"),
       choice("match", "each", {"each", "mean"}, "each other view, or the mean of all views"),
       boolean("stop_gradient", false, "the other side is taken as given")}};
  entry.modality = Modality::image;
  entry.make = [](const Options& options, const Setting&) {
    return std::make_shared<OtherViews>(options.integer("outputs"), options.text("match") == "mean",
                                        options.flag("stop_gradient"));
  };
  return entry;
}

}  // namespace assay
