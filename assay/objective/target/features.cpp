// target features: what a teacher's trunk makes of a cleaner view.
#include "assay/objective/target/features.h"

#include <fmt/format.h>

#include "assay/objective/frozen_trunk.h"
#include "assay/objective/target/token_choice.h"
#include "assay/objective/teacher.h"
#include "assay/tensor/flops.h"

namespace assay {

Tensor averaged_layers(const std::vector<Tensor>& layers, int64_t k, bool normalise) {
  Tensor sum;
  for (auto layer = layers.end() - k; layer != layers.end(); ++layer) {
    const Tensor own = normalise ? at::layer_norm(*layer, {layer->size(-1)}) : *layer;
    sum = sum.defined() ? sum + own : own;
  }
  return sum / static_cast<double>(k);
}

namespace {

struct FeatureOptions {
  std::string teacher, checkpoint;
  bool embedding = false;  // of the input instead of layers
  int64_t layers = 1;
  bool normalise = true;
  double noise = 0;
  Tokens tokens = Tokens::all;
  EmaWindow window;
};

class Features : public Target {
 public:
  Features(FeatureOptions options, const Setting& setting)
      : options_(std::move(options)), setting_(setting) {}

  TargetInfo info() const override {
    TargetInfo info{setting_.model.width, options_.tokens, "feature"};
    info.follows = options_.tokens == Tokens::next;
    info.by_level = options_.noise > 0;
    if (options_.teacher != "frozen") info.caution = "relative to the teacher of this checkpoint";
    return info;
  }

  void attach(const Student& student) override {
    trunk_ = student.trunk;
    if (options_.teacher != "ema" && options_.teacher != "frozen") return;
    student_ = student.trunk;
    trunk_ = register_module("trunk", student.new_trunk());
    copy_frozen(*student_, *trunk_);
    if (options_.teacher == "frozen") load_trunk(options_.checkpoint, *trunk_);
  }
  void after_step(int64_t step, int64_t steps) override {
    if (options_.teacher == "ema")
      follow(*student_, *trunk_, options_.window.momentum(step, steps));
  }

  Tensor values(const View& view) override {
    torch::AutoGradMode gradient(at::GradMode::is_enabled() && options_.teacher == "live");
    const Tensor features = options_.embedding ? trunk_->content(view.clean) : layers(view);
    if (options_.tokens == Tokens::pooled) return features.mean(1, true);
    return target_tokens(features, view.field, options_.tokens);
  }

  double flops(const std::vector<int64_t>& tokens) const override {
    const int64_t all = setting_.tokens.tokens;
    const double pass = options_.embedding ? trunk_->content_flops() * static_cast<double>(all)
                                           : trunk_->flops(all);
    return static_cast<double>(tokens.size()) * pass *
           (options_.teacher == "live" ? kTrainedPass : 1);
  }
  std::string collapse(bool own_predictor) const override {
    if (options_.teacher == "live")
      return "the target is the trunk's own output, and its gradient makes both constant";
    if (options_.teacher == "stop_gradient" && !options_.embedding && !own_predictor)
      return "the target is the trunk's own output, and nothing stands between the two";
    return {};
  }

 private:
  // The teacher sees all tokens of the clean view, or the same noise at a smaller share.
  Tensor layers(const View& view) {
    TrunkInput input;
    input.tokens = view.clean;
    input.causal = view.field.causal;
    if (options_.noise > 0) {
      input.level = view.field.level * options_.noise;
      const Tensor share = view.field.level_of_token.defined()
                               ? input.level.gather(1, view.field.level_of_token).unsqueeze(2)
                               : input.level.view({-1, 1, 1});
      input.level_of_token = view.field.level_of_token;
      const auto [alpha, sigma] = mixing(share, view.field.path);
      input.tokens = alpha * view.clean + sigma * view.input.noise;
    }
    return averaged_layers(trunk_->features(input), options_.layers, options_.normalise);
  }

  FeatureOptions options_;
  Setting setting_;
  std::shared_ptr<Trunk> student_, trunk_;
};

std::shared_ptr<Target> make(const Options& options, const Setting& setting) {
  FeatureOptions out;
  out.teacher = options.text("teacher");
  out.checkpoint = options.text("checkpoint");
  out.embedding = options.text("source") == "embedding";
  out.layers = options.integer("layers");
  out.normalise = options.text("normalise") == "layer";
  out.noise = options.real("noise");
  out.tokens = options.text("tokens") == "pooled" ? Tokens::pooled : tokens_of(options);
  out.window = ema_window(options);
  if (out.layers > setting.model.depth)
    throw options.error(
        "layers", "config.range",
        fmt::format("`layers` {} exceeds model.depth {}", out.layers, setting.model.depth),
        "the teacher averages its last layers");
  if (out.noise > 0 && !setting.levels)
    throw options.error(
        "noise", "config.loss_space",
        fmt::format("[{}]: `noise` is a share of the student's, which has none", options.where()),
        "set noise = 0, or corrupt.kind = \"level\"");
  if ((out.teacher == "frozen") == out.checkpoint.empty())
    throw options.error(
        "checkpoint", "config.checkpoint",
        out.teacher == "frozen"
            ? fmt::format("[{}]: a frozen teacher needs a checkpoint", options.where())
            : fmt::format("[{}]: only a frozen teacher has a checkpoint", options.where()),
        "set teacher = \"frozen\" and checkpoint = \"…/snapshots/00001000.safetensors\"");
  if (out.teacher == "frozen") check_checkpoint(options, out.checkpoint);
  return std::make_shared<Features>(std::move(out), setting);
}

}  // namespace

PartEntry<Target> target_features() {
  using namespace declare;
  PartEntry<Target> entry;
  std::vector<Option> options{
      choice("teacher", "ema", {"ema", "stop_gradient", "live", "frozen"},
             "ema: average of the trunk; stop_gradient, live: the trunk itself, without or with "
             "gradient; frozen: a trunk from a checkpoint"),
      text("checkpoint", "", "of a frozen teacher: a snapshot of a trial with the same [model]"),
      choice("source", "layers", {"layers", "embedding"},
             "layers: the residual stream; embedding: the linear embedding of the input alone"),
      integer("layers", 1, closed(1, 128), "how many of the last layers are averaged"),
      choice("normalise", "layer", {"layer", "none"},
             "layer: each layer's features to mean 0 and variance 1, without scale and offset"),
      real("noise", 0.0, closed(0, 1), "noise share of the teacher's view over the student's"),
      choice("tokens", "all", {"all", "masked", "visible", "next", "pooled"},
             "which tokens carry loss; next: each predicts the one that follows")};
  for (const Option& option : ema_options()) options.push_back(option);
  entry.info = {
      "target",
      "features",
      "features of a teacher that sees the view whole and clean, or with less noise",
      "y = (1/k) Σ_{l > L-k} LN(h_l^teacher(x));  ema: θ' ← m·θ' + (1 - m)·θ, m = "
      "exp(-1/(window·steps));  embedding: y_i = E x_i, without gradient unless live",
      "I-JEPA, arXiv 2301.08243 (k = 1); data2vec, arXiv 2202.03555 (k > 1); NEPA, SihanXU/nepa "
      "(embedding); SRA, vvvvvjdy/SRA (noise); SALT, arXiv 2509.24317 (frozen)",
      std::move(options)};
  entry.make = make;
  return entry;
}

}  // namespace assay
