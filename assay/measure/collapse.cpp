// Meter: whether the trunk still tells examples apart.
#include "assay/tensor/torch.h"

#include <fmt/format.h>

#include <cmath>

#include "assay/measure/meter.h"
#include "assay/noise/noise.h"

namespace assay {
namespace {

const Seed kStream = Seed(0).child("collapse");
constexpr int64_t kBatch = 50;
constexpr double kConstant = 0.02;  // of the initial spread: features are a constant
constexpr double kLine = 1.5;       // effective rank: features lie on a line

struct Shape {
  double spread = 0, rank = 0;
};

/// features [n, D] float64. Spread: √(Σ_d var_d / Σ_d mean f_d²). Effective rank: exp of the
/// entropy of the shares p_k = λ_k/Σλ of the covariance's eigenvalues (Roy and Vetterli 2007, with
/// variances for singular values).
Shape shape_of(const Tensor& features) {
  const Tensor centred = features - features.mean(0, true);
  const double variance = centred.square().sum().item<double>();
  const double energy = features.square().sum().item<double>();
  Shape shape;
  if (energy == 0 || variance == 0) return shape;
  shape.spread = std::sqrt(variance / energy);
  const Tensor eigenvalues = std::get<0>(at::linalg_eigh(centred.t().matmul(centred))).clamp_min(0);
  const Tensor share = eigenvalues / eigenvalues.sum();
  shape.rank = std::exp(-(share * share.clamp_min(1e-300).log()).sum().item<double>());
  return shape;
}

class Collapse : public Meter {
 public:
  explicit Collapse(int64_t examples) : examples_(examples) {}

  std::vector<Measurement> measure(Subject& subject) override {
    subject.load(Weights::initial);
    const Shape initial = shape_of(features(subject));
    std::vector<Measurement> out;
    for (const Weights weights : {Weights::averaged, Weights::live}) {
      subject.load(weights);
      const Shape shape = shape_of(features(subject));
      add(subject, weights, "feature_spread", shape.spread, initial.spread, out);
      add(subject, weights, "effective_rank", shape.rank, initial.rank, out);
      if (weights == Weights::averaged) say(subject, shape, initial);
    }
    return out;
  }

 private:
  /// Last layer, mean over tokens. [n, D]
  Tensor features(Subject& subject) const {
    const torch::NoGradGuard no_gradient;
    const Dataset& data = subject.heldout();
    const int64_t count = std::min(examples_, data.size());
    std::vector<Tensor> rows;
    for (int64_t at = 0; at < count; at += kBatch) {
      std::vector<int64_t> ids;
      for (int64_t i = at; i < std::min(count, at + kBatch); ++i)
        ids.push_back(permuted(kStream, data.size(), i));
      rows.push_back(
          subject.objective().features(data.get(ids)).back().mean(1).to(torch::kFloat64));
    }
    subject.flops_spent +=
        subject.objective().feature_flops_per_example() * static_cast<double>(count);
    return torch::cat(rows);
  }

  void add(const Subject& subject, Weights weights, const std::string& quantity, double value,
           double initial, std::vector<Measurement>& out) const {
    Measurement m = subject.measurement("collapse", quantity, "1");
    m.labels = {{"weights", to_string(weights)}, {"group", "trunk"}};
    m.value = value;
    m.n = std::min(examples_, subject.heldout().size());
    m.method =
        quantity == "feature_spread"
            ? "√(variance over examples / mean square) of the last layer's mean token; a "
              "property of these examples, without interval"
            : "exp entropy of the covariance's eigenvalue shares, last layer's mean token; a "
              "property of these examples, without interval";
    m.note = fmt::format("{:.4g} at initialisation", initial);
    out.push_back(std::move(m));
  }

  static void say(Subject& subject, const Shape& now, const Shape& initial) {
    if (now.spread < kConstant * initial.spread)
      subject.notes.push_back(fmt::format(
          "collapse: the trunk's features are the same for all examples (spread {:.2g}, at "
          "initialisation {:.2g}) at {:.0f}% of the budget",
          now.spread, initial.spread, 100 * subject.state().fraction));
    else if (now.rank < kLine)
      subject.notes.push_back(
          fmt::format("collapse: the trunk's features lie on a line (effective rank {:.2f}, at "
                      "initialisation {:.1f}) at {:.0f}% of the budget",
                      now.rank, initial.rank, 100 * subject.state().fraction));
  }

  int64_t examples_;
};

}  // namespace

namespace meters {

MeterEntry collapse() {
  return {"collapse",
          "spread and effective rank of the trunk's features; a note when they collapse",
          {declare::integer("examples", 256, declare::at_least(8), "held-out examples")},
          [](const Options& options) -> std::unique_ptr<Meter> {
            return std::make_unique<Collapse>(options.integer("examples"));
          }};
}

}  // namespace meters
}  // namespace assay
