// Building a term from its resolved table, and what is refused before any step.
#include <fmt/format.h>

#include "assay/objective/term.h"
#include "assay/tensor/noise.h"

namespace assay {

namespace {

constexpr double kMaskTokenDeviation = 0.02;  // as MAE, SimMIM and BEiT

}  // namespace

Term::Term(std::string name, const Node& resolved, Setting setting)
    : name_(std::move(name)),
      where_(fmt::format("objective.term.{}", name_)),
      setting_(std::move(setting)) {
  setting_.init = setting_.init.child("head").child(name_);
  build_parts(resolved);
  check(resolved);
  const auto bands = static_cast<int64_t>(metric_->bands().size());
  for (int level = 0; level < corrupt_->level_bins(); ++level)
    for (int band = 0; band < static_cast<int>(std::max<int64_t>(bands, 1)); ++band)
      cells_.push_back({name_, corrupt_->level_bins() > 1 ? level : -1, bands > 1 ? band : -1});
  for (const Regulariser& regulariser : regularisers_)
    for (const std::string& component : regulariser.part->components())
      cells_.push_back({regulariser.cell(component)});
}

void Term::build_parts(const Node& resolved) {
  const auto slot = [&](const char* key) -> const Node& { return *resolved.find(key); };
  const auto place = [&](const char* key) { return fmt::format("{}.{}", where_, key); };
  views_ = make_part<Views>(slot("views"), setting_, place("views"));
  const std::vector<int64_t> sides = views_->sizes();
  setting_.global_views = std::count(sides.begin(), sides.end(), 0);
  corrupt_ = make_part<Corrupt>(slot("corrupt"), setting_, place("corrupt"));
  setting_.masked = corrupt_->masked();
  setting_.drops = corrupt_->drops();
  setting_.levels = corrupt_->has_levels();
  setting_.levels_per_example = corrupt_->levels();
  setting_.bound = corrupt_->has_bound();
  setting_.spectrum = corrupt_->spectrum();
  target_ = make_part<Target>(slot("target"), setting_, place("target"));
  setting_.target = target_->info();
  metric_ = make_part<Metric>(slot("metric"), setting_, place("metric"));
  weight_ = make_part<Weight>(slot("weight"), setting_, place("weight"));
  predict_table_ = slot("predict");
  setting_.bottleneck =
      choose<Predict>(predict_table_, place("predict")).entry->info.name == "bottleneck";
  if (const Node* regularisers = resolved.find("regularise"))
    for (const auto& [name, table] : regularisers->table())
      regularisers_.push_back(
          {name,
           make_part<Regularise>(table, setting_, fmt::format("{}.regularise.{}", where_, name))});
}

std::shared_ptr<nn::Module> Term::make_head(const std::shared_ptr<Trunk>& trunk) {
  trunk_ = trunk;
  const auto make_predict = [this] {
    const Chosen<Predict> predict = choose<Predict>(predict_table_, where_ + ".predict");
    return predict.entry->make(predict.options, setting_);
  };
  predict_ = make_predict();
  auto head = std::make_shared<nn::Module>("Head");
  if (setting_.masked > 0 && !setting_.drops)
    mask_token_ = head->register_parameter(
        "mask_token", normal_tensor(setting_.init.child("mask_token"), {setting_.model.width},
                                    kMaskTokenDeviation));
  head->register_module("predict", predict_);
  if (!metric_->parameters().empty()) head->register_module("metric", metric_);
  if (!weight_->parameters().empty()) head->register_module("weight", weight_);
  for (const auto& module : {std::static_pointer_cast<nn::Module>(trunk_),
                             std::static_pointer_cast<nn::Module>(predict_)})
    for (const Tensor& parameter : module->parameters())
      if (parameter.dim() >= 2) matrices_.push_back(parameter);
  const ModelConfig model = setting_.model;
  const TokenShape shape = setting_.tokens;
  const Seed init = setting_.init;
  target_->attach({trunk_, predict_,
                   [model, shape, init] { return std::make_shared<Trunk>(model, shape, init); },
                   make_predict});
  return head;
}

void Term::check(const Node& resolved) const {
  const Chosen<Target> target = choose<Target>(*resolved.find("target"), where_ + ".target");
  const TargetInfo& info = setting_.target;
  const bool some = info.tokens == Tokens::masked || info.tokens == Tokens::visible;
  if (some && setting_.masked == 0)
    throw target.options.error(
        "tokens", "config.no_masked_tokens",
        fmt::format("[{}.target] asks for loss on some tokens, but [{}.corrupt] masks none", where_,
                    where_),
        "set target.tokens = \"all\", or corrupt.kind = \"mask\"");
  if (info.follows && !corrupt_->causal())
    throw target.options.error(
        "kind", "config.leak",
        fmt::format("[{}]: what follows a token stands in the input", where_),
        "set corrupt.kind = \"causal\"");
  const auto views = static_cast<int64_t>(views_->sizes().size());
  if (views < info.least_views)
    throw choose<Views>(*resolved.find("views"), where_ + ".views")
        .options.error("kind", "config.views",
                       fmt::format("[{}.target] compares views, and there {} {}", where_,
                                   views == 1 ? "is" : "are", views),
                       "set views.kind = \"crop\" with count = 2, or views.kind = \"multi_crop\"");
  if (setting_.global_views < views && (info.tokens != Tokens::pooled || setting_.masked > 0))
    throw choose<Views>(*resolved.find("views"), where_ + ".views")
        .options.error(
            "kind", "config.views",
            fmt::format("[{}]: small views suit only targets of whole, unmasked views", where_),
            "set views.local = 0, or views.kind = \"crop\"");
  check_metric(resolved);
  check_collapse(resolved);
  const Chosen<Predict> predict = choose<Predict>(predict_table_, where_ + ".predict");
  if (predict.entry->check) predict.entry->check(predict.options, setting_);
}

void Term::check_metric(const Node& resolved) const {
  const Chosen<Metric> metric = choose<Metric>(*resolved.find("metric"), where_ + ".metric");
  const std::string& kind = metric.entry->info.name;
  const TargetInfo& info = setting_.target;
  const bool classes = kind == "cross_entropy";
  if (classes != !info.classes.empty())
    throw metric.options.error(
        "kind", "config.metric",
        fmt::format("[{}.metric] `{}` does not suit a target of {}", where_, kind,
                    classes ? "numbers" : "classes"),
        classes ? "choose a target with classes, or metric.kind = \"squared_error\""
                : "set metric.kind = \"cross_entropy\"");
  if (kind == "squared_error" && metric.options.text("space") == "v" &&
      (!setting_.levels || info.parametrisation != "x"))
    throw metric.options.error(
        "space", "config.loss_space",
        fmt::format("[{}.metric]: a velocity loss needs x-prediction from a finite noise level",
                    where_),
        "set metric.space = \"x\", or corrupt.kind = \"level\" with target.predict = \"x\"");
}

void Term::check_collapse(const Node& resolved) const {
  if (metric_->contrasts()) return;
  for (const Regulariser& regulariser : regularisers_)
    if (regulariser.part->prevents_collapse()) return;
  const std::string kind = choose<Predict>(predict_table_, where_ + ".predict").entry->info.name;
  const std::string reason = target_->collapse(kind == "predictor" || kind == "decoder");
  if (reason.empty()) return;
  throw choose<Target>(*resolved.find("target"), where_ + ".target")
      .options.error("kind", "config.collapse",
                     fmt::format("[{}] must collapse: {}", where_, reason),
                     "let a teacher give the target (teacher = \"ema\"), add a predictor, or add a "
                     "regulariser: regularise.sigreg = { kind = \"sigreg\" }");
}

}  // namespace assay
