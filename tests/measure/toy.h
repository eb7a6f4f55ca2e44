// Objectives and data small enough that everything about their gradients and factors is known.
#pragma once

#include "assay/tensor/torch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "assay/measure/meter.h"
#include "assay/noise/noise.h"
#include "assay/objective/comparing.h"
#include "assay/stats/interval.h"

namespace assay::toy {

inline Tensor normal(Seed seed, int64_t id, int64_t replica, int64_t count) {
  Tensor out = torch::empty({count});
  normals(seed, id, replica, {out.data_ptr<float>(), static_cast<size_t>(count)});
  return out;
}

/// x ~ N(0, diag(spectrum)) as images [B, 1, 1, d]; two factors: "sign" of coordinate 0 and "side"
/// of coordinate 1 (kind position), each one bit.
class GaussianData : public Dataset {
 public:
  GaussianData(std::vector<double> spectrum, int64_t size, uint64_t seed, bool factors = true)
      : size_(size), seed_(seed) {
    spread_ = torch::tensor(spectrum, torch::kFloat32).sqrt();
    info_.kind = "gaussian";
    info_.channels = 1;
    info_.hash = fmt::format("gaussian {}", seed);
    if (factors) info_.factors = {{"sign", 2, 1, "content"}, {"side", 2, 1, "position"}};
  }
  const DatasetInfo& info() const override { return info_; }
  int64_t size() const override { return size_; }
  Batch get(std::span<const int64_t> ids) const override {
    Batch batch;
    batch.ids.assign(ids.begin(), ids.end());
    batch.replicas = replicas_of(ids);
    std::vector<Tensor> rows;
    for (const int64_t id : ids) rows.push_back(normal(seed_, id, 0, spread_.numel()) * spread_);
    const Tensor x = torch::stack(rows);
    batch.images = x.view({x.size(0), 1, 1, x.size(1)});
    batch.labels = x.narrow(1, 0, 2).gt(0).to(torch::kInt64);
    return batch;
  }

 private:
  DatasetInfo info_;
  int64_t size_;
  Seed seed_;
  Tensor spread_;
};

/// Base of the toys: one term "toy" with one expected target, features = the input as `tokens`
/// tokens.
class ToyObjective : public Objective {
 public:
  std::map<std::string, std::string> units() const override { return {{"toy", "squared error"}}; }
  std::map<std::string, double> expected_targets() const override { return {{"toy", 1.0}}; }
  std::vector<double> weights(double) const override {
    return std::vector<double>(cells().size(), 1.0);
  }
  double flops_per_example() const override { return 3e6; }
  int64_t tokens_per_example() const override { return 1; }
  int level_bins() const override { return 1; }
  std::vector<std::string> bands() const override { return {}; }
  double feature_flops_per_example() const override { return 1e6; }
  std::vector<Tensor> features(const Batch& batch) override {
    const Tensor x = batch.images.flatten(1).unsqueeze(1);
    return {x, torch::tanh(x.matmul(first()))};
  }
  Trunk& trunk() override { throw Error("test.trunk", "a toy has no trunk"); }

 protected:
  /// A square matrix of the trunk, for features.
  virtual Tensor first() const = 0;
};

/// snr.md 4.3: z = x + s·ε, D(z) = Wz + b, loss ½|D(z) − x|². W is the trunk, b (zero) the head.
/// One noise level per bin, each with equal probability; bands are equal runs of output
/// coordinates.
class Denoiser : public ToyObjective {
 public:
  Denoiser(Tensor weight, std::vector<double> levels, int64_t bands, double scale = 1)
      : levels_(std::move(levels)), bands_(bands), scale_(scale) {
    auto trunk = register_module("trunk", std::make_shared<nn::Module>("trunk"));
    auto head = register_module("head", std::make_shared<nn::Module>("head"));
    weight_ = trunk->register_parameter("weight", weight.clone());
    bias_ = head->register_parameter("bias", torch::zeros({weight.size(0)}, weight.options()));
  }
  std::vector<Cell> cells() const override {
    std::vector<Cell> out;
    for (int level = 0; level < level_bins(); ++level)
      for (int band = 0; band < static_cast<int>(bands_); ++band)
        out.push_back({"toy", level, band});
    return out;
  }
  int level_bins() const override { return static_cast<int>(levels_.size()); }
  std::vector<std::string> bands() const override {
    std::vector<std::string> names;
    for (int64_t band = 0; band < bands_; ++band) names.push_back(fmt::format("band{}", band));
    return names;
  }
  LossMap losses(const Batch& batch, const Draw& draw) override {
    return compared_losses(batch, draw, {});
  }
  LossMap compared_losses(const Batch& batch, const Draw& draw,
                          const Comparing& comparing) override {
    const Tensor x = batch.images.flatten(1).to(weight_.dtype());
    std::vector<Tensor> noisy;
    std::vector<int> bins;
    for (size_t b = 0; b < batch.ids.size(); ++b) {
      const double u = uniform(draw.level, batch.ids[b], batch.replicas[b]);
      bins.push_back(draw.level_bin.value_or(static_cast<int>(u * level_bins())));
      const double s = levels_[static_cast<size_t>(bins.back())];
      noisy.push_back(s * normal(draw.pattern, batch.ids[b], batch.replicas[b], x.size(1)));
    }
    const Tensor z = x + torch::stack(noisy).to(weight_.dtype());
    const Tensor rows = comparing.target_rows;
    Compared c;
    c.term = "toy";
    c.prediction = (z.matmul(weight_.t()) + bias_).unsqueeze(1);
    c.target = (rows.defined() ? x.index_select(0, rows) : x).unsqueeze(1);
    c.outputs = x.size(1);
    c.places = 1;
    c.level_bin = bins;
    c.loss = [this, bins](const Tensor& prediction, const Tensor& target, const Tensor&) {
      return by_cell((prediction - target).squeeze(1), bins);
    };
    if (comparing.see) comparing.see(c);
    return comparing.predictions ? c.loss(c.prediction, c.target, {}) : LossMap{};
  }

 protected:
  Tensor first() const override { return weight_; }

 private:
  LossMap by_cell(const Tensor& error, const std::vector<int>& bins) const {
    const Tensor by_band = error.square().view({error.size(0), bands_, -1}).sum(2) * (scale_ / 2);
    const Tensor one_hot = torch::one_hot(torch::tensor(bins, torch::kLong), level_bins())
                               .to(weight_.dtype())
                               .unsqueeze(2);
    return {(one_hot * by_band.unsqueeze(1)).flatten(1),
            one_hot.expand({-1, -1, bands_}).flatten(1) / static_cast<double>(bands_)};
  }

  Tensor weight_, bias_;
  std::vector<double> levels_;
  int64_t bands_;
  double scale_;
};

/// snr.md 4.1: loss ½(θ − x)'H(θ − x) with H = diag(curvature).
class Quadratic : public ToyObjective {
 public:
  Quadratic(Tensor theta, Tensor curvature) : curvature_(std::move(curvature)) {
    auto trunk = register_module("trunk", std::make_shared<nn::Module>("trunk"));
    auto head = register_module("head", std::make_shared<nn::Module>("head"));
    theta_ = trunk->register_parameter("theta", theta.clone());
    head->register_parameter("unused", torch::zeros({1}));
  }
  std::vector<Cell> cells() const override { return {{"toy", -1, -1}}; }
  LossMap losses(const Batch& batch, const Draw&) override {
    const Tensor difference = theta_ - batch.images.flatten(1);
    const Tensor loss = (difference.square() * curvature_).sum(1, true) / 2;
    return {loss, torch::ones_like(loss).detach()};
  }

 protected:
  Tensor first() const override { return torch::diag(curvature_); }

 private:
  Tensor theta_, curvature_;
};

/// A trial at a checkpoint: `live` weights of the objective as built; averaged ones the same unless
/// given.
inline Subject subject(std::function<std::shared_ptr<Objective>()> make, const Dataset& train,
                       const Dataset& heldout, double fraction = 1, Tensor averaged = {}) {
  const auto objective = make();
  const FlatParameters flat(*objective);
  Subject::State state;
  state.live = flat.values().clone();
  state.averaged = averaged.defined() ? averaged : state.live.clone();
  state.raw_second_moments = torch::full_like(state.live, 4.0);
  state.step = static_cast<int64_t>(1000 * fraction);
  state.fraction = fraction;
  state.steps = state.train.budget_steps = state.step + 200;  // room for a branch
  return {std::move(make), std::move(state), train, heldout, Seed(11)};
}

inline std::unique_ptr<Meter> meter(const std::string& name, const std::string& toml = {}) {
  for (const MeterEntry& entry : meter_entries())
    if (entry.name == name)
      return entry.make(Options(parse_toml(toml, "test"), entry.options, "measure." + name));
  throw std::logic_error("no meter " + name);
}

/// The one measurement with this quantity and these labels (others may stand beside them).
inline Measurement find(const std::vector<Measurement>& all, const std::string& quantity,
                        const std::map<std::string, std::string>& labels,
                        const std::vector<std::string>& absent = {}) {
  const Measurement* found = nullptr;
  int count = 0;
  for (const Measurement& m : all) {
    bool matches = m.quantity == quantity;
    for (const auto& [key, value] : labels)
      matches = matches && m.labels.count(key) && m.labels.at(key) == value;
    for (const std::string& key : absent) matches = matches && !m.labels.count(key);
    if (!matches) continue;
    found = &m;
    ++count;
  }
  if (count != 1)
    throw std::logic_error(fmt::format("{} measurements of {} match", count, quantity));
  return *found;
}

/// Whether `truth` lies in the two-sided Student interval of level 1e-6 around the value, with the
/// standard error that the 95% interval implies.
inline testing::AssertionResult compatible(const Measurement& m, double truth, double degrees) {
  if (!m.low || !m.high) return testing::AssertionFailure() << m.quantity << " has no interval";
  const double error = (*m.high - *m.low) / 2 / student_quantile(.975, degrees);
  const double allowed = error * student_quantile(1 - 5e-7, degrees);
  if (std::abs(m.value - truth) <= allowed) return testing::AssertionSuccess();
  return testing::AssertionFailure() << m.quantity << " is " << m.value << " ± " << error
                                     << " (standard error), the truth " << truth;
}

}  // namespace assay::toy
