// The worlds whose signal and noise are known on paper, all through measure_noise().
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <numbers>
#include <string>

#include "stats/repeat.h"

namespace assay {
namespace {

using namespace testing;

// x ~ N(0, S), S = diag; shared by the worlds below.
Vector spectrum_of(Eigen::Index size) {
  Vector out(size);
  for (Eigen::Index k = 0; k < size; ++k) out[k] = 2 / static_cast<double>(k + 1);
  return out;
}
Vector input(const Vector& spectrum, int64_t id) {
  return spectrum.cwiseSqrt().cwiseProduct(normal_vector(Seed(31), id, spectrum.size()));
}

// y = θ*ᵀx + e, e ~ N(0, v), l = ½ (θᵀx − y)², δ = θ − θ*: G = S δ,
// tr Σ = (v + δᵀSδ) tr S + |S δ|².
class RegressionSource : public ExampleSource {
 public:
  Vector spectrum = spectrum_of(6), offset;
  double variance = 0.5;
  explicit RegressionSource(double distance) : offset(distance * normal_vector(Seed(32), 0, 6)) {}
  int64_t size() const override { return 6; }
  Vector example_gradient(int64_t id, const Draw&) const override {
    const Vector x = input(spectrum, id);
    return (offset.dot(x) - std::sqrt(variance) * normal_vector(Seed(33), id, 1)[0]) * x;
  }
  double signal() const { return spectrum.cwiseProduct(offset).squaredNorm(); }
  double total() const {
    return (variance + offset.cwiseAbs2().dot(spectrum)) * spectrum.sum() + signal();
  }
};

// P(y = 1) = σ(θ*ᵀx), l = cross-entropy of σ(θᵀx), at θ = 0 or at θ = θ*.
class LogisticSource : public ExampleSource {
 public:
  Vector spectrum = spectrum_of(5), truth = 0.7 * normal_vector(Seed(34), 0, 5);
  bool converged;
  explicit LogisticSource(bool at_truth) : converged(at_truth) {}
  int64_t size() const override { return 5; }
  static double sigmoid(double u) { return 1 / (1 + std::exp(-u)); }
  Vector example_gradient(int64_t id, const Draw&) const override {
    const Vector x = input(spectrum, id);
    const double probability = sigmoid(truth.dot(x));
    const double label = uniform(Seed(35), id, 0) < probability ? 1 : 0;
    return ((converged ? probability : 0.5) - label) * x;
  }
  // E f(u), u ~ N(0, τ²), by the trapezoidal rule: exact to rounding for such functions.
  double expectation(const std::function<double(double)>& f) const {
    const double deviation = std::sqrt(truth.cwiseAbs2().dot(spectrum));
    double sum = 0;
    for (double z = -12; z <= 12; z += 0.01)
      sum += 0.01 * std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi) * f(deviation * z);
    return sum;
  }
  static double slope(double u) { return sigmoid(u) * (1 - sigmoid(u)); }
  double signal() const {  // at 0: G = −κ S θ*
    if (converged) return 0;
    const double kappa = expectation(slope);
    return kappa * kappa * spectrum.cwiseProduct(truth).squaredNorm();
  }
  double total() const {  // at θ*: E σ′(u) |x|², x split along S θ*
    if (!converged) return spectrum.sum() / 4 - signal();
    const double tau = truth.cwiseAbs2().dot(spectrum);
    const double along = spectrum.cwiseProduct(truth).squaredNorm();
    return expectation(slope) * (spectrum.sum() - along / tau) +
           expectation([](double u) { return slope(u) * u * u; }) * along / (tau * tau);
  }
};

// W = diag(w), z = x + s ε: one parameter per band, g_k = (w_k z_k − x_k) z_k; at w = 0
// SNR_k = λ_k/(2 λ_k + s²), which starves bands of little power.
class BandSource : public ExampleSource {
 public:
  Vector spectrum = spectrum_of(8).cwiseAbs2();
  Vector weight = Vector::Zero(8);
  double level = 0.4;
  int64_t size() const override { return 8; }
  std::vector<Group> groups() const override {
    std::vector<Group> out = {{"all", 0, 8}};
    for (int64_t k = 0; k < 8; ++k) out.push_back({"band" + std::to_string(k), k, k + 1});
    return out;
  }
  Vector example_gradient(int64_t id, const Draw& draw) const override {
    const Vector x = input(spectrum, id);
    const Vector z = x + level * normal_vector(draw.pattern, id, 8);
    return (weight.cwiseProduct(z) - x).cwiseProduct(z);
  }
  double signal(Eigen::Index k) const {
    const double noisy = spectrum[k] + level * level;
    return std::pow(weight[k] * noisy - spectrum[k], 2);
  }
  double total(Eigen::Index k) const {
    const double noisy = spectrum[k] + level * level, w = weight[k];
    return (w * w * noisy - 2 * w * spectrum[k] + spectrum[k]) * noisy + signal(k);
  }
};

struct Expected {
  std::string group;
  double signal, total;
};
struct World {
  std::string name;
  std::shared_ptr<GradientSource> source;
  std::vector<Expected> expected;
  std::optional<int> level = std::nullopt;
};

std::vector<World> worlds() {
  std::vector<World> out;
  const auto quadratic = std::make_shared<QuadraticSource>(6);
  out.push_back({"quadratic",
                 quadratic,
                 {{"all", quadratic->mean().squaredNorm(), quadratic->covariance().trace()}}});
  for (const double distance : {0.5, 0.0}) {
    const auto source = std::make_shared<RegressionSource>(distance);
    out.push_back({distance > 0 ? "linear regression" : "linear regression, converged",
                   source,
                   {{"all", source->signal(), source->total()}}});
  }
  for (const bool converged : {false, true}) {
    const auto source = std::make_shared<LogisticSource>(converged);
    out.push_back({converged ? "logistic, converged" : "logistic, at 0",
                   source,
                   {{"all", source->signal(), source->total()}}});
  }
  for (const double weight : {0.0, 0.6}) {
    const auto source = std::make_shared<BandSource>();
    source->weight.setConstant(weight);
    World world{weight > 0 ? "bands" : "bands at initialisation", source, {}};
    for (Eigen::Index k = 0; k < 8; ++k)
      world.expected.push_back({"band" + std::to_string(k), source->signal(k), source->total(k)});
    out.push_back(world);
  }
  const auto denoising = std::make_shared<DenoisingSource>();
  for (int bin = -1; bin < 3; ++bin) {
    const DenoisingSource::Truth t = denoising->truth(bin, 0, 8);
    World world{"denoising, level " + std::to_string(bin),
                denoising,
                {{"all", t.signal, t.data + t.objective}}};
    if (bin >= 0) world.level = bin;
    out.push_back(world);
  }
  return out;
}

// Largest |z| of the means of |G|² and tr Σ over all worlds and groups.
void expect_unbiased(int64_t repetitions, double bound, bool print) {
  for (const World& world : worlds()) {
    const NoisePlan plan{.units = 12, .examples_per_unit = 4, .draws = 2, .level_bin = world.level};
    std::vector<Averages> averages(world.expected.size());
    repeat(*world.source, plan, repetitions, [&](const NoiseView& view) {
      for (size_t i = 0; i < averages.size(); ++i)
        averages[i].add(view.at(world.expected[i].group));
    });
    for (size_t i = 0; i < averages.size(); ++i) {
      const Expected& truth = world.expected[i];
      const double signal = z_score(averages[i].signal, truth.signal);
      const double total = z_score(averages[i].total, truth.total);
      EXPECT_LT(std::abs(signal), bound) << world.name << " " << truth.group;
      EXPECT_LT(std::abs(total), bound) << world.name << " " << truth.group;
      if (print)
        std::printf("%-30s %-6s |G|^2 %9.5f bias %+5.2f SE of %.4f  tr %9.4f bias %+5.2f SE\n",
                    world.name.c_str(), truth.group.c_str(), truth.signal, signal,
                    averages[i].signal.standard_error(), truth.total, total);
    }
  }
}

TEST(ClosedForms, BandsAtInitialisationHaveTheSnrOfTheirPower) {
  const BandSource source;
  for (Eigen::Index k = 0; k < 8; ++k) {
    const double power = source.spectrum[k];
    EXPECT_NEAR(source.signal(k) / source.total(k),
                power / (2 * power + source.level * source.level), 1e-12);
  }
}

// Hypothesis: means equal the closed forms; 300 measurements of 12 × 4 examples of every world, 56
// comparisons at level 1e-6. Power: errors of a third of one measurement's deviation.
TEST(ClosedForms, NothingIsBiased) { expect_unbiased(300, kLevel, false); }

// The long form: 4,000 replications, 5 standard errors (errors of .12 deviations with power .99).
TEST(Validate, ClosedFormsOverFourThousandReplications) {
  if (std::getenv("ASSAY_VALIDATE") == nullptr) GTEST_SKIP() << "set ASSAY_VALIDATE=1";
  expect_unbiased(4000, 5, true);
}

// Planted fault: an additive bias of the gradient of a tenth of its deviation is found by the same
// check.
TEST(ClosedForms, ABiasedGradientIsCaught) {
  class Biased : public RegressionSource {
   public:
    using RegressionSource::RegressionSource;
    Vector example_gradient(int64_t id, const Draw& draw) const override {
      return RegressionSource::example_gradient(id, draw) + Vector::Constant(6, 0.2);
    }
  } source(0.5);
  Averages averages;
  repeat(source, {.units = 12, .examples_per_unit = 4, .draws = 2}, 300,
         [&](const NoiseView& view) { averages.add(view.at("all")); });
  EXPECT_GT(std::abs(z_score(averages.signal, source.signal())), 5);
}

}  // namespace
}  // namespace assay
