// One term of an objective.
#include "assay/objective/term.h"

#include <fmt/format.h>

#include "assay/tensor/flops.h"
#include "assay/tensor/patches.h"
#include "assay/tensor/shape.h"

namespace assay {

namespace {

std::vector<Cell> cells_of(const std::string& term, int64_t levels, int64_t bands) {
  std::vector<Cell> cells;
  for (int level = 0; level < levels; ++level)
    for (int band = 0; band < bands; ++band)
      cells.push_back({term, levels > 1 ? level : -1, bands > 1 ? band : -1});
  return cells;
}

// [B, K] to [B, J·K]: row b goes to the columns of its level, all others are zero.
Tensor spread(const Tensor& by_band, const std::vector<int>& level_bin, int64_t levels) {
  if (levels == 1) return by_band;
  const auto batch = static_cast<int64_t>(level_bin.size());
  const Tensor chosen = at::zeros({batch, levels}, at::kFloat);
  for (size_t b = 0; b < level_bin.size(); ++b)
    chosen.data_ptr<float>()[static_cast<int64_t>(b) * levels + level_bin[b]] = 1;
  return (chosen.to(by_band.options()).unsqueeze(2) * by_band.unsqueeze(1)).view({batch, -1});
}

}  // namespace

TokenShape token_shape(const ModelConfig& model, const DataShape& data) {
  if (data.modality == Modality::text) return {data.window, 0};
  if (data.image_size % model.patch != 0)
    throw Error("config.patch",
                fmt::format("images of side {} cannot be cut into patches of side {}",
                            data.image_size, model.patch),
                "choose model.patch so that it divides the image size of the data");
  const int64_t grid = data.image_size / model.patch;
  return {grid * grid, data.channels * model.patch * model.patch};
}

Tensor clean_tokens(const Batch& view, const Setting& setting, const at::TensorOptions& options) {
  const DataShape& data = setting.data;
  if (data.modality == Modality::text) {
    check_shape(view.bytes, {view.size(), data.window + 1}, "batch.bytes");
    return view.bytes.narrow(1, 0, data.window).to(options.device());
  }
  check_shape(view.images, {view.size(), data.channels, data.image_size, data.image_size},
              "batch.images");
  return patchify(view.images.to(options), setting.model.patch);
}

Term::Term(std::string name, const Node& resolved, Setting setting)
    : name_(std::move(name)),
      setting_(std::move(setting)),
      where_(fmt::format("objective.term.{}", name_)) {
  const auto slot = [&](const char* key) -> const Node& { return *resolved.find(key); };
  const auto place = [&](const char* key) { return fmt::format("{}.{}", where_, key); };
  views_ = make_part<Views>(slot("views"), setting_, place("views"));
  corrupt_ = make_part<Corrupt>(slot("corrupt"), setting_, place("corrupt"));
  target_ = make_part<Target>(slot("target"), setting_, place("target"));
  setting_.target = target_->info();
  setting_.drops = corrupt_->drops();
  metric_ = make_part<Metric>(slot("metric"), setting_, place("metric"));
  weight_ = make_part<Weight>(slot("weight"), setting_, place("weight"));
  predict_table_ = slot("predict");
  check(where_, resolved);
  const auto bands = static_cast<int64_t>(metric_->bands().size());
  cells_ = cells_of(name_, corrupt_->level_bins(), std::max<int64_t>(bands, 1));
}

void Term::check(const std::string& where, const Node& resolved) const {
  const Chosen<Metric> metric = choose<Metric>(*resolved.find("metric"), where + ".metric");
  const Chosen<Target> target = choose<Target>(*resolved.find("target"), where + ".target");
  const TargetInfo info = target_->info();
  if (info.tokens != Tokens::all && corrupt_->masked() == 0)
    throw target.options.error(
        "tokens", "config.no_masked_tokens",
        fmt::format("[{}.target] asks for loss on some tokens, but [{}.corrupt] "
                    "masks none",
                    where, where),
        "set target.tokens = \"all\", or corrupt.kind = \"mask\"");
  if (info.parametrisation == "next" && !corrupt_->causal())
    throw target.options.error("kind", "config.leak",
                               fmt::format("[{}]: the next token stands in the input", where),
                               "set corrupt.kind = \"causal\"");
  const bool velocity =
      metric.entry->info.name == "squared_error" && metric.options.text("space") == "v";
  if (velocity && (!corrupt_->has_levels() || info.parametrisation != "x"))
    throw metric.options.error(
        "space", "config.loss_space",
        fmt::format("[{}.metric]: a velocity loss needs x-prediction from a finite noise level",
                    where),
        "set metric.space = \"x\", or corrupt.kind = \"level\" with target.kind = \"pixels\"");
  const Chosen<Predict> predict = choose<Predict>(predict_table_, where + ".predict");
  if (predict.entry->check) predict.entry->check(predict.options, setting_);
}

std::shared_ptr<Predict> Term::make_head(Seed init) {
  const Chosen<Predict> predict = choose<Predict>(predict_table_, where_ + ".predict");
  predict_ = predict.entry->make(predict.options, setting_, init);
  return predict_;
}

LossMap Term::view_losses(Trunk& trunk, const Batch& view, const Draw& draw) const {
  const at::TensorOptions options = trunk.tensor_options();
  const NoiseField field = corrupt_->field(row_keys(view), draw, options);
  const Tensor clean = clean_tokens(view, setting_, options);
  TrunkInput input;
  input.tokens = setting_.tokens.numbers == 0
                     ? clean
                     : corrupt_tokens(field, clean, row_keys(view), draw.pattern.child("noise"));
  input.level = field.level;
  input.causal = field.causal;
  if (field.drop) input.kept = field.visible;
  const Tensor encoded = trunk.forward(input);
  const Tensor prediction = predict_->predict(encoded, field, setting_.target.tokens);
  const Tensor target = target_->values(view, clean, field).to(options.device());
  const BandLoss loss = metric_->loss(prediction, target, field);
  const int64_t levels = corrupt_->level_bins();
  return {spread(loss.loss, field.level_bin, levels),
          spread(loss.targets, field.level_bin, levels)};
}

LossMap Term::losses(Trunk& trunk, const Batch& batch, const Draw& draw) const {
  if (draw.level_bin && (*draw.level_bin < 0 || *draw.level_bin >= level_bins()))
    throw Error("objective.level_bin", fmt::format("term {} has {} noise-level bins, not a bin {}",
                                                   name_, level_bins(), *draw.level_bin));
  const std::vector<Batch> views = views_->views(batch, draw);
  LossMap sum = view_losses(trunk, views.front(), draw);
  for (size_t v = 1; v < views.size(); ++v) {
    Draw own = draw;  // each view has a level and a pattern of its own
    own.level = draw.level.child("view").child(v);
    own.pattern = draw.pattern.child("view").child(v);
    const LossMap map = view_losses(trunk, views[v], own);
    sum = {sum.loss + map.loss, sum.targets + map.targets};
  }
  return sum;
}

int64_t Term::target_tokens() const {
  switch (setting_.target.tokens) {
    case Tokens::all:
      return setting_.tokens.tokens;
    case Tokens::masked:
      return corrupt_->masked();
    case Tokens::visible:
      return setting_.tokens.tokens - corrupt_->masked();
  }
  return 0;
}

double Term::expected_targets() const {
  return metric_->targets_per_token() * static_cast<double>(target_tokens() * views_->count());
}

int64_t Term::tokens() const {
  return (setting_.tokens.tokens - (corrupt_->drops() ? corrupt_->masked() : 0)) * views_->count();
}

double Term::flops(const Trunk& trunk) const {
  const int64_t encoded = tokens() / views_->count();
  return kTrainedPass * static_cast<double>(views_->count()) *
         (trunk.flops(encoded) + predict_->flops(encoded, target_tokens()));
}

}  // namespace assay
