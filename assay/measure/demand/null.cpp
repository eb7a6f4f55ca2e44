// The best prediction of a target that does not see the input.
#include "assay/tensor/torch.h"

#include "assay/measure/demand/null.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

namespace assay::demand {

namespace {

constexpr int kHuberIterations = 12;  // of reweighted means; from the mean, 1e-3 of β is left
constexpr double kTiny = 1e-12;

Tensor zeros(at::IntArrayRef sizes) { return at::zeros(sizes, at::kDouble); }

/// Rows of a batch that belong to a fold: even, odd, or all. [k] int64
Tensor fold_rows(int fold, int64_t batch) {
  return fold == 2 ? at::arange(batch, at::kLong) : at::arange(fold, batch, 2, at::kLong);
}

/// Σ over tokens into rows of a table.
void add_rows(const Tensor& table, const Tensor& cells, const Tensor& values) {
  table.index_add_(0, cells, values.reshape({cells.numel(), -1}).to(at::kDouble));
}

/// Sums over weights; a place without any weight has what all places have together.
Tensor divided(const Tensor& sums, const Tensor& weights) {
  const Tensor pooled = sums.sum(0, true) / weights.sum(0, true).clamp_min(kTiny);
  return at::where(weights > 0, sums / weights.clamp_min(kTiny), pooled);
}

/// Class probabilities from counts [cells, V, K]: those of a place as if `strength` more of its
/// tokens had been seen that fall as those of all places do.
Tensor probabilities(const Tensor& counts, double strength) {
  const Tensor all = counts.sum(0, true) + 0.5;
  const Tensor pooled = all / all.sum(2, true);
  return (counts + strength * pooled) / (counts.sum(2, true) + strength);
}

double surprise(const Tensor& counts, const Tensor& probability) {
  return -(counts * probability.log()).sum().item<double>();
}

}  // namespace

void Null::add(const Compared& compared) {
  form_ = compared.null;
  places_ = std::max(places_, compared.places);
  outputs_ = compared.outputs;
  const int64_t batch = compared.target.size(0);
  rows_ += batch;
  if (form_.kind == NullKind::uniform) return;
  if (compared.by_level)
    for (const int bin : compared.level_bin)
      groups_ = std::max<int64_t>(groups_, static_cast<int64_t>(bin) + 1);
  kept_.push_back(compared);
  kept_.back().prediction = Tensor();
  if (form_.variances == 0) kept_.back().loss = nullptr;  // it would hold the noise field
}

Tensor Null::cells(const Compared& compared) const {
  const int64_t batch = compared.target.size(0), tokens = compared.target.size(1);
  Tensor place = compared.positions.defined()
                     ? compared.positions.to(at::kCPU)
                     : at::arange(tokens, at::kLong).expand({batch, tokens});
  if (compared.by_level && !compared.level_bin.empty()) {
    const Tensor bin = at::tensor(compared.level_bin, at::kLong).clamp_max(groups_ - 1);
    place = place + places_ * bin.unsqueeze(1);
  }
  return place.reshape(-1);
}

Tensor Null::mean_table(Fold fold, bool directions) const {
  Tensor sums = zeros({table_rows(), outputs_}), weights = zeros({table_rows(), 1});
  for (const Compared& c : kept_) {
    const Tensor rows = fold_rows(fold, c.target.size(0));
    const Tensor cell = cells(c).view({c.target.size(0), -1}).index_select(0, rows).reshape(-1);
    Tensor target = c.target.to(at::kDouble).cpu();
    if (directions) target = target / target.norm(2, -1, true).clamp_min(kTiny);
    const Tensor scale = (c.scale.defined() ? c.scale.to(at::kDouble).cpu() : at::ones({1, 1, 1}))
                             .expand({target.size(0), target.size(1), 1});
    add_rows(sums, cell, (target * scale).index_select(0, rows));
    add_rows(weights, cell, scale.square().index_select(0, rows));
  }
  return divided(sums, weights);
}

Tensor Null::huber_table(Fold fold) const {
  Tensor table = mean_table(fold, false);
  for (int iteration = 0; iteration < kHuberIterations; ++iteration) {
    Tensor sums = at::zeros_like(table), weights = at::zeros_like(table);
    for (const Compared& c : kept_) {
      const Tensor rows = fold_rows(fold, c.target.size(0));
      const Tensor cell = cells(c).view({c.target.size(0), -1}).index_select(0, rows).reshape(-1);
      const Tensor target =
          c.target.to(at::kDouble).cpu().index_select(0, rows).reshape({cell.numel(), -1});
      const Tensor distance = (target - table.index_select(0, cell)).abs().clamp_min(kTiny);
      const Tensor weight = (form_.parameter / distance).clamp_max(1);
      add_rows(sums, cell, weight * target);
      add_rows(weights, cell, weight);
    }
    table = divided(sums, weights);
  }
  return table;
}

// [table rows, V, K]
Tensor Null::counts(Fold fold) const {
  const int64_t variables = form_.variables, classes = outputs_ / variables;
  Tensor out = zeros({table_rows() * variables * classes});
  for (const Compared& c : kept_) {
    const Tensor rows = fold_rows(fold, c.target.size(0));
    const Tensor cell =
        cells(c).view({c.target.size(0), -1}).index_select(0, rows).reshape({-1, 1});
    const Tensor target = c.target.cpu().index_select(0, rows);
    if (target.is_floating_point()) {
      add_rows(out.view({table_rows(), classes}), cell.view(-1), target);
      continue;
    }
    const Tensor chosen = target.reshape({cell.size(0), variables});
    const Tensor flat = (cell * variables + at::arange(variables, at::kLong)) * classes + chosen;
    const Tensor known = flat.masked_select(chosen >= 0);  // -1: unknown
    out += at::bincount(known, {}, out.numel());
  }
  return out.view({table_rows(), variables, classes});
}

void Null::fit_frequencies() {
  const Tensor a = counts(first), b = counts(second);
  double best = INFINITY, strength = 1;
  for (const double candidate : {1., 4., 16., 64., 256., 1024., 4096., 1e12}) {
    const double cost =
        surprise(b, probabilities(a, candidate)) + surprise(a, probabilities(b, candidate));
    if (cost >= best) continue;
    best = cost;
    strength = candidate;
  }
  const auto logits = [&](const Tensor& n) {
    return (form_.parameter * probabilities(n, strength).log()).view({table_rows(), outputs_});
  };
  fitted_ = {Fitted{logits(a), {}}, Fitted{logits(b), {}}, Fitted{logits(a + b), {}}};
}

// With loss w·(S e^-λ + n (λ + ln 2π))/2 of the term's columns at λ = 0, once at the null and once
// without error, Σ w S / Σ w n is the variance at which the null is best.
Tensor Null::fit_log_variance(Fold fold, const Tensor& table) const {
  const Tensor none = at::zeros({form_.variances});
  Tensor squares, targets;
  for (const Compared& c : kept_) {
    const Tensor rows = fold_rows(fold, c.target.size(0));
    const auto sum = [&](const Tensor& at) {
      return c.loss(at, c.target, none).loss.to(at::kDouble).index_select(0, rows).sum(0);
    };
    const Tensor without_error = sum(c.target);
    const Tensor square = 2 * (sum(prediction(table, c)) - without_error);
    const Tensor target = 2 * without_error / std::log(2 * std::numbers::pi);
    squares = squares.defined() ? squares + square : square;
    targets = targets.defined() ? targets + target : target;
  }
  const auto of_variance = [&](const Tensor& by_column) {
    return form_.variances == 1 ? by_column.sum(0, true)
                                : by_column.view({-1, form_.variances}).sum(0);
  };
  return (of_variance(squares).clamp_min(kTiny) / of_variance(targets).clamp_min(kTiny)).log();
}

void Null::fit() {
  if (rows_ < kFewestRows)
    throw Error("measure.too_few_examples",
                fmt::format("a null predictor needs {} examples, and has {}", kFewestRows, rows_),
                "raise measure.demand.fit, or train on more data");
  if (form_.kind == NullKind::uniform) return;
  if (form_.kind == NullKind::frequencies) {
    fit_frequencies();
  } else {
    for (const Fold fold : {first, second, whole}) {
      Fitted& fitted = fitted_[fold];
      fitted.table = form_.kind == NullKind::huber
                         ? huber_table(fold)
                         : mean_table(fold, form_.kind == NullKind::direction);
      if (form_.variances > 0) fitted.log_variance = fit_log_variance(fold, fitted.table);
    }
  }
  kept_.clear();
}

Tensor Null::prediction(const Tensor& table, const Compared& c) const {
  const auto type = c.prediction.defined()         ? c.prediction.scalar_type()
                    : c.target.is_floating_point() ? c.target.scalar_type()
                                                   : at::kFloat;
  const Tensor values = table.index_select(0, cells(c))
                            .view({c.target.size(0), c.target.size(1), outputs_})
                            .to(c.target.device(), type);
  return c.scale.defined() ? values * c.scale : values;
}

Tensor Null::loss_of(Fold fold, const Compared& compared) const {
  if (form_.kind == NullKind::uniform) {
    const Tensor same = at::ones_like(compared.target);
    return compared.loss(same, same, {}).loss.to(at::kDouble);
  }
  const Fitted& fitted = fitted_[fold];
  Tensor log_variance = fitted.log_variance;
  if (log_variance.defined()) log_variance = log_variance.to(compared.target.options());
  return compared.loss(prediction(fitted.table, compared), compared.target, log_variance)
      .loss.to(at::kDouble);
}

Tensor Null::loss(const Compared& compared) const {
  if (form_.kind == NullKind::uniform) return loss_of(whole, compared);
  return 2 * loss_of(whole, compared) - (loss_of(first, compared) + loss_of(second, compared)) / 2;
}

}  // namespace assay::demand
