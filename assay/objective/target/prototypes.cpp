// target prototypes: how a teacher distributes the other views over prototypes (DINO).
#include "assay/objective/target/prototypes.h"

#include <fmt/format.h>

#include "assay/objective/registry.h"
#include "assay/objective/teacher.h"

namespace assay {

Tensor centred_distribution(const Tensor& logits, const Tensor& centre, double temperature) {
  return ((centre.defined() ? logits - centre : logits) / temperature).softmax(1);
}

Tensor sinkhorn_distribution(const Tensor& logits, double temperature) {
  constexpr int kIterations = 3;
  const Tensor scaled = logits / temperature;
  Tensor q = (scaled - scaled.max()).exp();
  const auto rows = static_cast<double>(q.size(0)), columns = static_cast<double>(q.size(1));
  for (int i = 0; i < kIterations; ++i) {
    q = q / q.sum(0, true) / columns;
    q = q / q.sum(1, true) / rows;
  }
  return q * rows;
}

namespace {

enum class Centring { mean, sinkhorn, none };

struct PrototypeOptions {
  int64_t count = 256;
  double temperature = 0.04, centre_momentum = 0.9;
  Centring centring = Centring::mean;
  EmaWindow window;
};

class Prototypes : public Target {
 public:
  Prototypes(PrototypeOptions options, int64_t image_size)
      : options_(options), image_size_(image_size) {
    if (options_.centring == Centring::mean)
      centre_ = register_buffer("centre", at::zeros({options_.count}));
  }

  TargetInfo info() const override {
    TargetInfo info{options_.count, Tokens::pooled, "distribution"};
    info.classes = {options_.count};
    info.least_views = 2;
    info.caution =
        "relative to the teacher of this checkpoint; the entropy of its assignments cannot be "
        "predicted away";
    return info;
  }
  bool coupled() const override { return options_.centring == Centring::sinkhorn; }

  void attach(const Student& student) override {
    student_ = student;
    trunk_ = register_module("trunk", student.new_trunk());
    predict_ = register_module("predict", student.new_predict());
    copy_frozen(*student_.trunk, *trunk_);
    copy_frozen(*student_.predict, *predict_);
  }

  // The centre follows what training saw since the last step; measurements only look at it.
  void after_step(int64_t step, int64_t steps) override {
    const double momentum = options_.window.momentum(step, steps);
    follow(*student_.trunk, *trunk_, momentum);
    follow(*student_.predict, *predict_, momentum);
    if (centre_.defined() && seen_rows_ > 0)
      centre_.lerp_(seen_ / static_cast<double>(seen_rows_), 1 - options_.centre_momentum);
    seen_ = Tensor();
    seen_rows_ = 0;
  }

  // [B, 1, K] probabilities
  Tensor values(const View& view) override {
    const bool training = at::GradMode::is_enabled();
    const torch::NoGradGuard no_gradient;
    TrunkInput input;
    input.tokens = view.clean;
    const Tensor logits =
        predict_->predict({trunk_->forward(input), view.field, Tokens::pooled}).values.squeeze(1);
    if (training && centre_.defined()) {
      seen_ = seen_.defined() ? seen_ + logits.sum(0) : logits.sum(0);
      seen_rows_ += logits.size(0);
    }
    const Tensor distribution = options_.centring == Centring::sinkhorn
                                    ? sinkhorn_distribution(logits, options_.temperature)
                                    : centred_distribution(logits, centre_, options_.temperature);
    return distribution.unsqueeze(1);
  }

  // The teacher sees the large views, the student all; a view is never its own target.
  std::vector<Comparison> comparisons(const std::vector<View>& views) override {
    std::vector<Comparison> out;
    for (size_t w = 0; w < views.size(); ++w) {
      if (views[w].batch.images.size(2) < image_size_) continue;
      const Tensor target = values(views[w]);
      for (size_t v = 0; v < views.size(); ++v)
        if (v != w) out.push_back({v, target});
    }
    return out;
  }
  int64_t comparisons(int64_t views) const override { return global_ * (views - 1); }
  void set_global(int64_t global) { global_ = global; }

  double flops(const std::vector<int64_t>& tokens) const override {
    double sum = 0;
    for (int64_t v = 0; v < global_; ++v)
      sum += trunk_->flops(tokens[static_cast<size_t>(v)]) +
             predict_->flops(tokens[static_cast<size_t>(v)], 1);
    return sum;
  }

 private:
  PrototypeOptions options_;
  int64_t image_size_, global_ = 2;
  Student student_;
  std::shared_ptr<Trunk> trunk_;
  std::shared_ptr<Predict> predict_;
  Tensor centre_, seen_;  // [K]
  int64_t seen_rows_ = 0;
};

std::shared_ptr<Target> make(const Options& options, const Setting& setting) {
  PrototypeOptions out;
  out.count = options.integer("count");
  out.temperature = options.real("temperature");
  out.centre_momentum = options.real("centre_momentum");
  const std::string& centring = options.text("centring");
  out.centring = centring == "mean"       ? Centring::mean
                 : centring == "sinkhorn" ? Centring::sinkhorn
                                          : Centring::none;
  out.window = ema_window(options);
  auto target = std::make_shared<Prototypes>(out, setting.data.image_size);
  target->set_global(setting.global_views);
  return target;
}

}  // namespace

PartEntry<Target> target_prototypes() {
  using namespace declare;
  PartEntry<Target> entry;
  std::vector<Option> options{
      integer("count", 256, closed(2, 65536), "prototypes K"),
      real("temperature", 0.04, above(0), "of the teacher's distribution; below the student's"),
      choice("centring", "mean", {"mean", "sinkhorn", "none"},
             "what keeps one prototype from taking all; none collapses"),
      real("centre_momentum", 0.9, {0, 1, true, false}, "of the running mean of teacher logits")};
  for (const Option& option : ema_options()) options.push_back(option);
  entry.info = {"target",
                "prototypes",
                "an averaged teacher's distribution of each other large view over prototypes",
                "y_w = softmax((g_w - c)/T), pairs v ≠ w, w large;  c ← m·c + (1 - m)·mean g after "
                "each step;  "
                "sinkhorn: 3 iterations over the batch instead",
                "Caron et al. 2021, arXiv 2104.14294 (DINO); sinkhorn: facebookresearch/dinov2",
                std::move(options)};
  entry.modality = Modality::image;
  entry.make = make;
  return entry;
}

}  // namespace assay
