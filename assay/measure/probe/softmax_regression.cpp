// Multinomial logistic regression with a ridge, for several factors at once.
#include "assay/tensor/torch.h"

#include "assay/measure/probe/softmax_regression.h"

#include <cmath>
#include <deque>
#include <limits>

namespace assay::probe {
namespace {

constexpr size_t kHistory = 6;
constexpr int kMaxHalvings = 12;
constexpr double kSufficientDecrease = 1e-4;  // Armijo's constant

/// Objective and gradient of all factors at one point.
struct Evaluation {
  Tensor value;     // [K] float64
  Tensor gradient;  // [d + 1, ΣC]
};

class Problem {
 public:
  Problem(const Tensor& features, const Tensor& labels, const ClassBlocks& blocks, double ridge)
      : blocks_(blocks),
        features_(
            torch::cat({features, torch::ones({features.size(0), 1}, features.options())}, 1)),
        transposed_(features_.t().contiguous()),
        ridge_(ridge) {
    const int64_t n = labels.size(0);
    targets_ = torch::zeros({n, blocks.columns()}, features.options());
    for (int64_t k = 0; k < blocks.factors(); ++k) {
      const Tensor known = labels.select(1, k).ge(0);
      const double count = std::max<double>(1, known.sum().item<double>());
      const Tensor weight = known.to(features.dtype()).div(count).unsqueeze(1);
      weights_.push_back(weight);
      columns_of(targets_, k).scatter_(1, labels.select(1, k).clamp_min(0).unsqueeze(1), weight);
    }
  }

  Tensor columns_of(const Tensor& tensor, int64_t k) const {
    const auto i = static_cast<size_t>(k);
    return tensor.narrow(1, blocks_.begin[i], blocks_.cardinality[i]);
  }

  Evaluation evaluate(const Tensor& point) {
    Tensor scores = features_.matmul(point);
    std::vector<Tensor> values;
    for (int64_t k = 0; k < blocks_.factors(); ++k) {
      Tensor block = columns_of(scores, k);
      const Tensor log_probability = torch::log_softmax(block, 1);
      values.push_back(
          columns_of(targets_, k).mul(log_probability).sum(1).sum(torch::kFloat64).neg());
      block.copy_(log_probability.exp().mul_(weights_[static_cast<size_t>(k)]));
    }
    Tensor gradient = transposed_.matmul(scores.sub_(targets_));
    const int64_t d = point.size(0) - 1;
    const Tensor penalised = point.narrow(0, 0, d);
    gradient.narrow(0, 0, d).add_(penalised, ridge_);
    flops += 4.0 * static_cast<double>(features_.numel()) * static_cast<double>(point.size(1));
    return {torch::stack(values) + per_factor(penalised, penalised) * (ridge_ / 2), gradient};
  }

  /// Inner product of two points, factor by factor. [K] float64
  Tensor per_factor(const Tensor& a, const Tensor& b) const {
    return a.mul(b).sum(0, false, torch::kFloat64).matmul(blocks_.indicator);
  }

  /// One number per factor to one per column. [1, ΣC] float32
  Tensor spread(const Tensor& by_factor) const {
    return blocks_.indicator.matmul(by_factor).to(torch::kFloat32).unsqueeze(0);
  }

  /// Inverse of ½ XᵀX/n + λI, which bounds the Hessian of every factor (Böhning 1992): as first
  /// guess of the curvature it spares L-BFGS what the correlation of features costs it. [d + 1, d +
  /// 1]
  Tensor preconditioner() const {
    const Tensor x = features_.to(torch::kFloat64);
    Tensor hessian = x.t().matmul(x).div_(2 * static_cast<double>(x.size(0)));
    hessian.diagonal().add_(std::max(ridge_, 1e-6));
    return torch::linalg_inv(hessian).to(torch::kFloat32);
  }

  double flops = 0;

 private:
  const ClassBlocks& blocks_;
  Tensor features_, transposed_, targets_;
  std::vector<Tensor> weights_;
  double ridge_;
};

/// The last pairs of displacement and change of gradient; a pair without positive curvature counts
/// for no factor that lacks it.
class Curvature {
 public:
  explicit Curvature(const Problem& problem)
      : problem_(problem), preconditioner_(problem.preconditioner()) {}

  void add(const Tensor& step, const Tensor& change) {
    const Tensor product = problem_.per_factor(step, change);
    const Tensor square = problem_.per_factor(change, preconditioner_.matmul(change));
    const Tensor usable = product.gt(square * 1e-10).logical_and(square.gt(0));
    const Tensor inverse = torch::where(usable, product.reciprocal(), torch::zeros_like(product));
    const Tensor scale = torch::where(usable, product / square, torch::ones_like(product));
    scale_ = scale_.defined() ? torch::where(usable, scale, scale_) : scale;
    pairs_.push_back({step, change, inverse});
    if (pairs_.size() > kHistory) pairs_.pop_front();
  }

  /// −H·gradient by the two-loop recursion.
  Tensor direction(const Tensor& gradient) const {
    Tensor q = gradient.clone();
    std::vector<Tensor> alphas;
    for (auto pair = pairs_.rbegin(); pair != pairs_.rend(); ++pair) {
      alphas.push_back(problem_.per_factor(pair->step, q) * pair->inverse);
      q.sub_(pair->change * problem_.spread(alphas.back()));
    }
    q = preconditioner_.matmul(q);
    if (scale_.defined()) q.mul_(problem_.spread(scale_));
    for (size_t i = 0; i < pairs_.size(); ++i) {
      const Pair& pair = pairs_[i];
      const Tensor beta = problem_.per_factor(pair.change, q) * pair.inverse;
      q.add_(pair.step * problem_.spread(alphas[pairs_.size() - 1 - i] - beta));
    }
    return q.neg_();
  }

 private:
  struct Pair {
    Tensor step, change;  // [d + 1, ΣC]
    Tensor inverse;       // [K] 1/(sᵀy), 0 = not used
  };
  const Problem& problem_;
  Tensor preconditioner_;
  std::deque<Pair> pairs_;
  Tensor scale_;
};

}  // namespace

ClassBlocks::ClassBlocks(std::vector<int64_t> cardinalities)
    : cardinality(std::move(cardinalities)) {
  int64_t at = 0;
  for (const int64_t classes : cardinality) {
    begin.push_back(at);
    at += classes;
  }
  indicator = torch::zeros({at, factors()}, torch::kFloat64);
  for (int64_t k = 0; k < factors(); ++k) {
    const auto i = static_cast<size_t>(k);
    indicator.select(1, k).narrow(0, begin[i], cardinality[i]).fill_(1);
  }
}

SoftmaxFit fit_softmax(const Tensor& features, const Tensor& labels, const ClassBlocks& blocks,
                       const Tensor& start, const FitOptions& options) {
  torch::NoGradGuard no_grad;
  Problem problem(features, labels, blocks, options.ridge);
  Curvature curvature(problem);
  Tensor point = start.clone();
  Evaluation here = problem.evaluate(point);
  Tensor active = torch::ones({blocks.factors()}, torch::kFloat64);
  for (int i = 0; i < options.max_iterations && active.sum().item<double>() > 0; ++i) {
    const Tensor direction = curvature.direction(here.gradient);
    const Tensor slope = problem.per_factor(here.gradient, direction);
    Tensor length = active.clone(), accepted;
    Tensor next = point;
    Evaluation there = here;
    for (int halving = 0; halving <= kMaxHalvings; ++halving) {
      next = point + direction * problem.spread(length);
      there = problem.evaluate(next);
      accepted = there.value.le(here.value + slope * length * kSufficientDecrease);
      if (accepted.all().item<bool>()) break;
      // A factor that cannot be lowered any more stays where it is.
      const Tensor shorter = halving + 1 < kMaxHalvings ? length / 2 : torch::zeros_like(length);
      length = torch::where(accepted, length, shorter);
    }
    const Tensor decrease = here.value - there.value;
    active = active * decrease.gt(there.value.abs() * options.tolerance).to(torch::kFloat64);
    curvature.add(next - point, there.gradient - here.gradient);
    point = next;
    here = there;
  }
  return {point, problem.flops};
}

Tensor null_weights(int64_t dimension, const Tensor& labels, const ClassBlocks& blocks) {
  Tensor weights = torch::zeros({dimension + 1, blocks.columns()}, torch::kFloat32);
  for (int64_t k = 0; k < blocks.factors(); ++k) {
    const auto i = static_cast<size_t>(k);
    const Tensor column = labels.select(1, k);
    const Tensor counts =
        torch::bincount(column.masked_select(column.ge(0)), {}, blocks.cardinality[i])
            .to(torch::kFloat64)
            .add(.5);
    weights.select(0, dimension)
        .narrow(0, blocks.begin[i], blocks.cardinality[i])
        .copy_(counts.div(counts.sum()).log());
  }
  return weights;
}

Tensor logits(const Tensor& features, const Tensor& weights) {
  const int64_t d = features.size(1);
  return torch::addmm(weights.select(0, d).unsqueeze(0), features, weights.narrow(0, 0, d));
}

Scores score(const Tensor& logits, const Tensor& labels, const ClassBlocks& blocks) {
  std::vector<Tensor> probabilities, corrects;
  for (int64_t k = 0; k < blocks.factors(); ++k) {
    const auto i = static_cast<size_t>(k);
    const Tensor block =
        logits.narrow(1, blocks.begin[i], blocks.cardinality[i]).to(torch::kFloat64);
    const Tensor column = labels.select(1, k);
    const Tensor truth = column.clamp_min(0).unsqueeze(1);
    const Tensor unknown = column.lt(0);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    probabilities.push_back(torch::log_softmax(block, 1)
                                .gather(1, truth)
                                .squeeze(1)
                                .div(std::log(2.0))
                                .masked_fill(unknown, nan));
    corrects.push_back(block.argmax(1).eq(column).to(torch::kFloat64).masked_fill(unknown, nan));
  }
  return {torch::stack(probabilities, 1), torch::stack(corrects, 1)};
}

Tensor code_length(const Scores& scores) { return scores.log2_probability.nanmean(0).neg(); }

}  // namespace assay::probe
