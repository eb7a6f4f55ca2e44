// Attentive readout: a few learned queries per factor over tokens.
#include "assay/tensor/torch.h"

#include "assay/measure/probe/readout.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "assay/noise/noise.h"

namespace assay::probe {
namespace {

constexpr int64_t kReadings = 8;       // of validation, besides the one before the first step
constexpr int64_t kScoringRows = 250;  // at a time: bounds the memory of the attention maps
constexpr double kAbsent = -1e30;      // logit of a class that pads a smaller factor

/// Parameters of all factors; classes are padded to the largest cardinality C.
struct Model {
  Tensor queries;     // [d, K·q]
  Tensor classifier;  // [K, q·d, C]
  Tensor bias;        // [K, 1, C]
};

class AttentiveFit {
 public:
  AttentiveFit(const Tensor& tokens, const Task& task, const AttentiveOptions& options, Seed seed);
  Readout run();

 private:
  Tensor forward(const Tensor& tokens) const;                     // [K, B, C]
  Tensor flat_logits(const Tensor& tokens) const;                 // [N, ΣC], without gradient
  Tensor loss(const Tensor& tokens, const Tensor& labels) const;  // Σ_k mean cross-entropy
  Tensor ids_of_step(int64_t step) const;
  void keep_better(int64_t step);
  double flops_per_example() const;

  const Tensor& tokens_;
  const Task& task_;
  AttentiveOptions options_;
  Seed seed_;
  int64_t factors_, dimension_, classes_ = 0;
  Model model_, best_;
  Tensor absent_, best_length_;
  Readout readout_;
};

AttentiveFit::AttentiveFit(const Tensor& tokens, const Task& task, const AttentiveOptions& options,
                           Seed seed)
    : tokens_(tokens),
      task_(task),
      options_(options),
      seed_(seed),
      factors_(task.blocks.factors()),
      dimension_(tokens.size(2)) {
  const auto& cardinality = task.blocks.cardinality;
  classes_ = *std::max_element(cardinality.begin(), cardinality.end());
  options_.batch = std::min(options_.batch, task.train);
  const int64_t q = options_.queries;
  Tensor start = torch::empty({factors_, q * dimension_});
  absent_ = torch::zeros({factors_, 1, classes_});
  model_.bias = torch::zeros({factors_, 1, classes_});
  const Tensor null = null_weights(0, task.train_rows(task.labels), task.blocks)[0];
  for (int64_t k = 0; k < factors_; ++k) {
    const auto i = static_cast<size_t>(k);
    // A stream for each name: a factor's start does not depend on which others are read.
    normals(seed.child("queries").child(task.factors[i]), 0, 0,
            {start[k].data_ptr<float>(), static_cast<size_t>(q * dimension_)});
    absent_[k][0].narrow(0, cardinality[i], classes_ - cardinality[i]).fill_(kAbsent);
    model_.bias[k][0]
        .narrow(0, 0, cardinality[i])
        .copy_(null.narrow(0, task.blocks.begin[i], cardinality[i]));
  }
  model_.queries = start.div(std::sqrt(static_cast<double>(dimension_)))
                       .reshape({factors_ * q, dimension_})
                       .t()
                       .contiguous();
  model_.classifier = torch::zeros({factors_, q * dimension_, classes_});
  best_ = {model_.queries.clone(), model_.classifier.clone(), model_.bias.clone()};
  readout_.chosen.assign(static_cast<size_t>(factors_), "null model");
}

Tensor AttentiveFit::forward(const Tensor& tokens) const {
  const int64_t batch = tokens.size(0), q = options_.queries;
  const Tensor attention = torch::softmax(tokens.matmul(model_.queries), 1);  // [B, T, K·q]
  const Tensor pooled = attention.transpose(1, 2)
                            .matmul(tokens)  // [B, K·q, d]
                            .reshape({batch, factors_, q * dimension_})
                            .transpose(0, 1);
  return torch::baddbmm(model_.bias + absent_, pooled, model_.classifier);
}

Tensor AttentiveFit::flat_logits(const Tensor& tokens) const {
  torch::NoGradGuard no_grad;
  std::vector<Tensor> rows;
  for (const Tensor& chunk : tokens.split(kScoringRows)) {
    const Tensor padded = forward(chunk);
    std::vector<Tensor> blocks;
    for (int64_t k = 0; k < factors_; ++k)
      blocks.push_back(padded[k].narrow(1, 0, task_.blocks.cardinality[static_cast<size_t>(k)]));
    rows.push_back(torch::cat(blocks, 1));
  }
  return torch::cat(rows);
}

Tensor AttentiveFit::loss(const Tensor& tokens, const Tensor& labels) const {
  const Tensor known = labels.ge(0).to(tokens.dtype());  // [B, K]
  const Tensor truth = labels.clamp_min(0).t().unsqueeze(2);
  const Tensor lengths =
      torch::log_softmax(forward(tokens), 2).gather(2, truth).squeeze(2).t().neg();
  return lengths.mul(known).sum(0).div(known.sum(0).clamp_min(1)).sum();
}

Tensor AttentiveFit::ids_of_step(int64_t step) const {
  Tensor ids = torch::empty({options_.batch}, torch::kInt64);
  for (int64_t b = 0; b < options_.batch; ++b) {
    const int64_t drawn = step * options_.batch + b;
    const Seed epoch = seed_.child("order").child(static_cast<uint64_t>(drawn / task_.train));
    ids[b] = permuted(epoch, task_.train, drawn % task_.train);
  }
  return ids;
}

/// Keeps, factor by factor, the parameters that validation likes best.
void AttentiveFit::keep_better(int64_t step) {
  torch::NoGradGuard no_grad;
  const Tensor length = code_length(score(flat_logits(task_.validation_rows(tokens_)),
                                          task_.validation_rows(task_.labels), task_.blocks));
  readout_.flops += flops_per_example() * static_cast<double>(task_.validation);
  const bool first = !best_length_.defined();
  const Tensor better = first ? torch::zeros_like(length, torch::kBool) : length.lt(best_length_);
  best_length_ = first ? length : torch::where(better, length, best_length_);
  const Tensor of_query = better.repeat_interleave(options_.queries).unsqueeze(0);
  const Tensor of_factor = better.view({factors_, 1, 1});
  best_.queries = torch::where(of_query, model_.queries, best_.queries);
  best_.classifier = torch::where(of_factor, model_.classifier, best_.classifier);
  best_.bias = torch::where(of_factor, model_.bias, best_.bias);
  for (int64_t k = 0; k < factors_; ++k)
    if (better[k].item<bool>())
      readout_.chosen[static_cast<size_t>(k)] = fmt::format("step {}", step);
}

/// Scores, pooling and classifier of one example, without gradient.
double AttentiveFit::flops_per_example() const {
  const auto kq = static_cast<double>(factors_ * options_.queries);
  const auto d = static_cast<double>(dimension_);
  return 4 * static_cast<double>(tokens_.size(1)) * d * kq +
         2 * kq * d * static_cast<double>(classes_);
}

Readout AttentiveFit::run() {
  const std::vector<Tensor> parameters = {model_.queries, model_.classifier, model_.bias};
  for (Tensor parameter : parameters) parameter.requires_grad_(true);
  torch::optim::AdamOptions adam(options_.learning_rate);
  torch::optim::Adam optimiser(parameters, adam);
  keep_better(0);
  const int64_t every = std::max<int64_t>(1, options_.steps / kReadings);
  for (int64_t step = 0; step < options_.steps; ++step) {
    const double done = static_cast<double>(step) / static_cast<double>(options_.steps);
    optimiser.param_groups().front().options().set_lr(options_.learning_rate * .5 *
                                                      (1 + std::cos(std::numbers::pi * done)));
    const Tensor ids = ids_of_step(step);
    optimiser.zero_grad();
    loss(tokens_.index_select(0, ids), task_.labels.index_select(0, ids)).backward();
    optimiser.step();
    if ((step + 1) % every == 0 || step + 1 == options_.steps) keep_better(step + 1);
  }
  // Backward repeats both products of the attention and of the classifier, without those for
  // tokens.
  readout_.flops += 2 * flops_per_example() * static_cast<double>(options_.steps * options_.batch);
  model_ = best_;
  readout_.test =
      score(flat_logits(task_.test_rows(tokens_)), task_.test_rows(task_.labels), task_.blocks);
  readout_.flops += flops_per_example() * static_cast<double>(task_.test);
  return std::move(readout_);
}

}  // namespace

Readout attentive_readout(const Tensor& tokens, const Task& task, const AttentiveOptions& options,
                          Seed seed) {
  torch::AutoGradMode gradients(true);
  return AttentiveFit(tokens, task, options, seed).run();
}

}  // namespace assay::probe
