// One term of an objective.
#include "assay/objective/term.h"

#include <fmt/format.h>

#include <numeric>

#include "assay/tensor/flops.h"
#include "assay/tensor/patches.h"
#include "assay/tensor/shape.h"

namespace assay {

namespace {

// [B, K] to [B, J·K]: row b goes to the columns of its level, all others are zero.
Tensor spread(const Tensor& by_band, const std::vector<int>& level_bin, int64_t levels) {
  if (levels == 1) return by_band;
  const auto batch = static_cast<int64_t>(level_bin.size());
  const Tensor chosen = at::zeros({batch, levels}, at::kFloat);
  for (size_t b = 0; b < level_bin.size(); ++b)
    chosen.data_ptr<float>()[static_cast<int64_t>(b) * levels + level_bin[b]] = 1;
  return (chosen.to(by_band.options()).unsqueeze(2) * by_band.unsqueeze(1)).view({batch, -1});
}

// Views have levels and patterns of their own; the first one uses the draw as it is.
Draw draw_of_view(const Draw& draw, size_t view) {
  if (view == 0) return draw;
  Draw own = draw;
  own.level = draw.level.child("view").child(view);
  own.pattern = draw.pattern.child("view").child(view);
  return own;
}

Tensor rows_of(const Tensor& values, const Tensor& rows) {
  return values.defined() ? values.index_select(0, rows.to(values.device())) : values;
}

// What other rows would be compared with under the noise field of these: a hidden token is
// compared with the token at the same place of the other example.
View with_rows(const View& view, const Tensor& rows) {
  View out = view;
  const int64_t* row = rows.const_data_ptr<int64_t>();
  for (size_t b = 0; b < view.batch.ids.size(); ++b) {
    out.batch.ids[b] = view.batch.ids[static_cast<size_t>(row[b])];
    out.batch.replicas[b] = view.batch.replicas[static_cast<size_t>(row[b])];
  }
  for (Tensor* values : {&out.batch.images, &out.batch.bytes, &out.batch.labels, &out.clean,
                         &out.input.tokens, &out.input.noise, &out.encoded, &out.prediction.values,
                         &out.prediction.mean, &out.prediction.log_variance})
    *values = rows_of(*values, rows);
  return out;
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
  check_shape(view.images, {view.size(), data.channels, kAny, kAny}, "batch.images");
  return patchify(view.images.to(options), setting.model.patch);
}

int64_t Term::encoded_tokens(int64_t side) const {
  if (side == 0) return setting_.tokens.tokens - (setting_.drops ? setting_.masked : 0);
  const int64_t grid = side / setting_.model.patch;
  return grid * grid;
}

std::vector<int64_t> Term::view_tokens() const {
  std::vector<int64_t> tokens;
  for (const int64_t side : views_->sizes()) tokens.push_back(encoded_tokens(side));
  return tokens;
}

View Term::encode(const Batch& batch, const Draw& draw, bool predictions) const {
  const at::TensorOptions options = trunk_->tensor_options();
  View view;
  view.batch = batch;
  view.field = corrupt_->field(row_keys(batch), draw, options);
  view.clean = clean_tokens(batch, setting_, options);
  view.input.tokens = view.clean;
  const Seed noise = draw.pattern.child("noise");
  if (setting_.tokens.numbers > 0)
    view.input =
        corrupt_tokens(view.field, view.clean, row_keys(batch), noise, setting_.data.channels);
  if (!predictions) return view;
  TrunkInput input;
  input.tokens = view.input.tokens;
  input.level = view.field.level;
  input.level_of_token = view.field.level_of_token;
  input.causal = view.field.causal;
  if (view.field.drop) {
    input.kept = view.field.visible;
  } else if (view.field.masked.defined()) {
    input.masked = view.field.masked;
    input.mask_token = mask_token_;
  }
  view.encoded = trunk_->forward(input);
  view.prediction = predict_->predict({view.encoded, view.field, setting_.target.tokens,
                                       row_keys(batch), draw.pattern.child("latent")});
  return view;
}

LossMap Term::spread_loss(const View& view, const Tensor& prediction, const Tensor& target) const {
  const BandLoss plain = metric_->loss(prediction, target, view.field,
                                       weight_->tokens(view.field, setting_.target.tokens));
  const BandLoss loss = weight_->at_level(plain, view.field);
  const int64_t levels = corrupt_->level_bins();
  return {spread(loss.loss, view.field.level_bin, levels),
          spread(loss.targets, view.field.level_bin, levels)};
}

LossMap Term::compared(const std::vector<View>& views, const Comparing& comparing) const {
  std::vector<View> exchanged;
  if (comparing.target_rows.defined())
    for (const View& view : views) exchanged.push_back(with_rows(view, comparing.target_rows));
  LossMap sum;
  for (const auto& [index, values] : target_->comparisons(exchanged.empty() ? views : exchanged)) {
    const View& view = views[index];
    const Tensor target = values.to(view.clean.device());
    if (comparing.see) comparing.see(describe(view, target));
    if (!comparing.predictions) continue;
    const LossMap map = spread_loss(view, view.prediction.values, target);
    sum = sum.loss.defined() ? LossMap{sum.loss + map.loss, sum.targets + map.targets} : map;
  }
  return sum;
}

Compared Term::describe(const View& view, const Tensor& target) const {
  const TargetInfo& info = setting_.target;
  Compared out;
  out.term = name_;
  out.null = metric_->null_form();
  out.prediction = view.prediction.values;
  out.target = target;
  out.outputs = info.outputs;
  if (info.tokens == Tokens::masked || info.tokens == Tokens::visible)
    out.positions = view.field.positions(info.tokens);
  out.places = out.positions.defined() ? setting_.tokens.tokens : target.size(1);
  out.scale = target_->mean_scale(view.field);
  out.level_bin = view.field.level_bin;
  out.by_level = info.by_level;
  out.caution = info.caution;
  // Only fields of the view that a metric reads are kept: a description may outlive its batch.
  out.loss = [this, field = view.field](const Tensor& prediction, const Tensor& of_target,
                                        const Tensor& log_variance) {
    const Tensor token_weight = weight_->tokens(field, setting_.target.tokens);
    const BandLoss plain =
        log_variance.defined()
            ? metric_->loss_under(log_variance, prediction, of_target, field, token_weight)
            : metric_->loss(prediction, of_target, field, token_weight);
    const BandLoss none{at::zeros_like(plain.loss), plain.targets};
    const Tensor loss = weight_->at_level(plain, field).loss - weight_->at_level(none, field).loss;
    const int64_t levels = corrupt_->level_bins();
    return LossMap{spread(loss, field.level_bin, levels),
                   spread(plain.targets, field.level_bin, levels)};
  };
  return out;
}

LossMap Term::losses(const Batch& batch, const Draw& draw, const Comparing& comparing) const {
  if (draw.level_bin && (*draw.level_bin < 0 || *draw.level_bin >= level_bins()))
    throw Error("objective.level_bin", fmt::format("term {} has {} noise-level bins, not a bin {}",
                                                   name_, level_bins(), *draw.level_bin));
  std::vector<View> views;
  for (const Batch& view : views_->views(batch, draw))
    views.push_back(encode(view, draw_of_view(draw, views.size()),
                           comparing.predictions || target_->reads_predictions()));
  const LossMap main = compared(views, comparing);
  if (regularisers_.empty() || !comparing.predictions) return main;
  std::vector<Tensor> loss{main.loss}, targets{main.targets};
  const double of_term = expected_targets().at(name_);
  for (const auto& [name, part] : regularisers_) {
    loss.push_back(part->loss(views, draw, matrices_));
    targets.push_back(at::full_like(loss.back(), part->expected_targets(of_term)).detach());
  }
  return {at::cat(loss, 1), at::cat(targets, 1)};
}

std::vector<double> Term::weights(double progress) const {
  const auto main = static_cast<int64_t>(std::count_if(
      cells_.begin(), cells_.end(), [&](const Cell& cell) { return cell.term == name_; }));
  std::vector<double> all =
      weight_->weights(std::vector<Cell>(cells_.begin(), cells_.begin() + main), progress);
  for (const auto& [name, part] : regularisers_) {
    const std::vector<double> own = part->weights(progress);
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

std::map<std::string, std::string> Term::units() const {
  std::map<std::string, std::string> units{{name_, weight_->unit(metric_->unit())}};
  for (const Regulariser& regulariser : regularisers_)
    for (const std::string& component : regulariser.part->components())
      units[regulariser.cell(component)] = regulariser.part->unit();
  return units;
}

bool Term::coupled() const {
  return metric_->coupled() || target_->coupled() ||
         std::any_of(regularisers_.begin(), regularisers_.end(),
                     [](const Regulariser& regulariser) { return regulariser.part->coupled(); });
}

int64_t Term::target_tokens() const {
  const int64_t tokens = setting_.tokens.tokens, masked = setting_.masked;
  switch (setting_.target.tokens) {
    case Tokens::all:
      return tokens;
    case Tokens::masked:
      return masked;
    case Tokens::visible:
      return tokens - masked;
    case Tokens::next:
      return tokens - 1;
    case Tokens::pooled:
      return 1;
  }
  return 0;
}

std::map<std::string, double> Term::expected_targets() const {
  const int64_t comparisons = target_->comparisons(static_cast<int64_t>(views_->sizes().size()));
  const double main =
      metric_->targets_per_token() * static_cast<double>(target_tokens() * comparisons);
  std::map<std::string, double> expected{{name_, main}};
  for (const Regulariser& regulariser : regularisers_)
    for (const std::string& component : regulariser.part->components())
      expected[regulariser.cell(component)] = regulariser.part->expected_targets(main);
  return expected;
}

int64_t Term::tokens() const {
  const std::vector<int64_t> tokens = view_tokens();
  return std::accumulate(tokens.begin(), tokens.end(), int64_t{0});
}

double Term::target_flops() const {
  return target_->reads_predictions() ? flops() / kTrainedPass : target_->flops(view_tokens());
}

double Term::flops() const {
  const std::vector<int64_t> tokens = view_tokens();
  const auto views = static_cast<int64_t>(tokens.size());
  double trained = 0;
  for (const int64_t encoded : tokens)
    trained +=
        trunk_->flops(encoded, corrupt_->levels()) + predict_->flops(encoded, target_tokens());
  // The transforms of metrics are constants: only the error carries gradient.
  const double metric = metric_->flops_per_token() *
                        static_cast<double>(target_tokens() * target_->comparisons(views));
  for (const Regulariser& regulariser : regularisers_) trained += regulariser.part->flops(views);
  return kTrainedPass * trained + kFrozenPass * metric + target_->flops(tokens);
}

}  // namespace assay
