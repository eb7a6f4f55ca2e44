// Drive against closed forms: a linear denoiser under SGD, and a world whose nuisance is loud.
#include "assay/measure/drive.h"

#include <array>

#include "assay/measure/drive/drift.h"
#include "assay/stats/crossed_mean.h"
#include "tests/measure/branch_toy.h"

namespace assay {
namespace {

using namespace toy;

// --- y = Wz + b, z = x + s·ε, x ~ N(0, diag λ), loss ½|y − x|², SGD of rate η on batches of B. ---
//
// With u = (z, 1), A = E uu', W* = Λ(Λ + s²)⁻¹, row j of the error e = (W, b)_j − (W*, 0)_j obeys
//   e ← (I − ηÛ) e + η ρ̂,   Û = mean of uu' over the batch, ρ̂ = mean of r_j u,
// where r = x − W*z is independent of z (Gaussian) with variance p_j = λ_j s²/(λ_j + s²). So
//   E e ← (I − ηA) E e
//   Q = E ee' ← Q − η(AQ + QA) + η²[(1 − 1/B) AQA + 1/B E(uu'Quu')] + η² p_j A/B,
// with the fourth moments of a Gaussian of mean (0, 1): all in double precision, sharing no code
// with what is tested.
constexpr int kModes = 4, kSide = kModes + 1;
using Vector = std::array<double, kSide>;
using Matrix = std::array<Vector, kSide>;

struct Recursion {
  std::array<double, kModes> lambda{};
  double s = 0, rate = 0, batch = 0;
  bool fluctuating = true;  // false: a planted fault, Û taken for its mean

  Vector covariance() const {
    Vector c{};
    for (size_t i = 0; i < kModes; ++i) c[i] = lambda[i] + s * s;
    return c;
  }
  Vector second() const {
    Vector a = covariance();
    a[kModes] = 1;
    return a;
  }
  double residual(size_t row) const { return lambda[row] * s * s / (lambda[row] + s * s); }
  double optimum(size_t row) const { return lambda[row] / (lambda[row] + s * s); }

  /// E u_i u_j u_k u_l: pairings of the covariance, of the mean, and of both.
  double fourth(size_t i, size_t j, size_t k, size_t l) const {
    const Vector variance = covariance();
    const auto c = [&](size_t a, size_t b) { return a == b ? variance[a] : 0.0; };
    const auto m = [](size_t a) { return a == kModes ? 1.0 : 0.0; };
    return c(i, j) * c(k, l) + c(i, k) * c(j, l) + c(i, l) * c(j, k) + m(i) * m(j) * c(k, l) +
           m(k) * m(l) * c(i, j) + m(i) * m(k) * c(j, l) + m(i) * m(l) * c(j, k) +
           m(j) * m(k) * c(i, l) + m(j) * m(l) * c(i, k) + m(i) * m(j) * m(k) * m(l);
  }

  Matrix step(const Matrix& q, size_t row) const {
    const Vector a = second();
    Matrix next{};
    for (size_t i = 0; i < kSide; ++i)
      for (size_t l = 0; l < kSide; ++l) {
        double quartic = 0;
        for (size_t j = 0; j < kSide; ++j)
          for (size_t k = 0; k < kSide; ++k) quartic += fourth(i, j, k, l) * q[j][k];
        const double steady = a[i] * q[i][l] * a[l];
        next[i][l] = q[i][l] * (1 - rate * (a[i] + a[l])) +
                     rate * rate * (fluctuating ? steady + (quartic - steady) / batch : steady);
        if (i == l) next[i][l] += rate * rate * residual(row) * a[i] / batch;
      }
    return next;
  }

  struct Row {
    Vector displacement, start;  // E (e_K − e_0), e_0
    Matrix moment;               // E e_K e_K'
    double spread = 0;           // Σ Var e_K over the columns of W
  };
  /// weights: row of W at the start; its bias is 0.
  Row run(const std::vector<double>& weights, size_t row, int64_t steps) const {
    Row out{};
    for (size_t i = 0; i < kModes; ++i) out.start[i] = weights[i];
    out.start[row] -= optimum(row);
    for (size_t i = 0; i < kSide; ++i)
      for (size_t l = 0; l < kSide; ++l) out.moment[i][l] = out.start[i] * out.start[l];
    for (int64_t k = 0; k < steps; ++k) out.moment = step(out.moment, row);
    const Vector a = second();
    for (size_t i = 0; i < kSide; ++i) {
      const double mean = out.start[i] * std::pow(1 - rate * a[i], steps);
      out.displacement[i] = mean - out.start[i];
      if (i < kModes) out.spread += out.moment[i][i] - mean * mean;
    }
    return out;
  }
};

struct DenoiserTruth {
  double signal = 0, spread = 0;  // of the displacement of W
  double gain = 0;                // E loss before − E loss after, in bits
};

DenoiserTruth truth_of(const Recursion& recursion, const Tensor& weight, int64_t steps) {
  DenoiserTruth out;
  const Vector a = recursion.second();
  for (size_t j = 0; j < kModes; ++j) {
    std::vector<double> row;
    for (int64_t i = 0; i < kModes; ++i)
      row.push_back(weight[static_cast<int64_t>(j)][i].item<double>());
    const Recursion::Row moments = recursion.run(row, j, steps);
    out.spread += moments.spread;
    for (size_t i = 0; i < kModes; ++i)
      out.signal += moments.displacement[i] * moments.displacement[i];
    for (size_t i = 0; i < kSide; ++i)
      out.gain += a[i] * (moments.start[i] * moments.start[i] - moments.moment[i][i]) / 2;
  }
  out.gain /= std::log(2.0);
  return out;
}

/// −log2 of a Gaussian of unit variance around y, up to a constant, of held-out examples. [N]
Tensor surprise(const Tensor& flat, const Tensor& clean, const Tensor& noisy) {
  const Tensor weight =
      flat.slice(0, 0, kModes * kModes).view({kModes, kModes}).to(torch::kFloat64);
  const Tensor bias = flat.slice(0, kModes * kModes).to(torch::kFloat64);
  return (noisy.matmul(weight.t()) + bias - clean).square().sum(1) / (2 * std::log(2.0));
}

// H0: drift signal, drift spread and mean gain are the recursion's. n = 600 branches of 20 steps,
// z and t at level 1e-6 with standard errors from the branches themselves; .5% more for drawing
// from 10⁶ fixed examples and for AdamW's not being SGD. The recursion without the fluctuations of
// Û (planted fault) is more than 8 standard errors of the spread away: power above .999.
TEST(DriveClosedForms, LinearDenoiserUnderSgd) {
  const Recursion recursion{{2, 1, .5, .25}, .5, .15, 8};
  constexpr int64_t kSteps = 20, kBranches = 600, kImages = 2000;
  const GaussianData data({2, 1, .5, .25}, 1'000'000, 3), heldout({2, 1, .5, .25}, kImages, 4);
  const Tensor weight = .3 * torch::eye(kModes) + .3 * normal(Seed(6), 0, 0, 16).view({4, 4});
  const drive::Make make = [&] {
    return std::make_shared<Denoiser>(weight, std::vector<double>{.5}, 1);
  };
  const auto objective = make();
  const Subject::State start = start_of(*objective, sgd(recursion.rate, 8));
  std::vector<int64_t> ids(kImages);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i);
  const Tensor clean = heldout.get(ids).images.flatten(1).to(torch::kFloat64);
  std::vector<Tensor> noise;
  for (const int64_t id : ids) noise.push_back(normal(Seed(8), id, 0, kModes));
  const Tensor noisy = clean + .5 * torch::stack(noise).to(torch::kFloat64);

  std::vector<Tensor> displacements;
  std::vector<double> gains;
  const Tensor before = surprise(start.averaged, clean, noisy);
  for (int64_t r = 0; r < kBranches; ++r) {
    const Tensor end =
        drive::run_branch(make, start, data, kSteps, Seed(7).child(static_cast<uint64_t>(r)))
            .end.averaged;
    displacements.push_back(end - start.averaged);
    const Tensor gain = (before - surprise(end, clean, noisy)).contiguous();
    gains.insert(gains.end(), gain.data_ptr<double>(), gain.data_ptr<double>() + kImages);
  }
  const auto drift =
      drive::parameter_drift(displacements, {{"trunk", 0, kModes * kModes}}).front().estimate;
  const DenoiserTruth truth = truth_of(recursion, weight, kSteps);

  const Tensor rows = torch::stack(displacements).slice(1, 0, kModes * kModes).to(torch::kFloat64);
  const Tensor mean = rows.mean(0), centred = rows - mean;
  const double n = kBranches;
  const double spread_error = centred.square().sum(1).std().item<double>() / std::sqrt(n);
  const double signal_error = 2 * centred.matmul(mean).std().item<double>() / std::sqrt(n);
  EXPECT_NEAR(drift.spread.value, truth.spread, 4.9 * spread_error + .005 * truth.spread);
  EXPECT_NEAR(drift.signal.value, truth.signal, 4.9 * signal_error + .005 * truth.signal);
  const Estimate gain = crossed_mean(gains, kBranches, kImages).mean;
  const double gain_error = (gain.high - gain.low) / 2 / student_quantile(.975, n - 1);
  EXPECT_NEAR(gain.value, truth.gain, student_quantile(1 - 5e-7, n - 1) * gain_error);
  EXPECT_LT(gain_error, .1 * truth.gain) << "the comparison of gains says something";

  Recursion faulty = recursion;
  faulty.fluctuating = false;
  EXPECT_GT(std::abs(truth_of(faulty, weight, kSteps).spread - truth.spread), 8 * spread_error);
}

// --- Sixteen strong nuisance modes and sixteen weak semantic ones. ---

constexpr int64_t kNuisance = 16, kSemantic = 16, kRead = 3, kAll = kNuisance + kSemantic;
constexpr double kWeak = .1;   // standard deviation of a semantic mode; of a nuisance mode 1
constexpr double kNoise = .1;  // of the denoiser: its best weight for a semantic mode is 1/2

/// Factors: signs of the first semantic modes (kind content) and of the first nuisance modes (kind
/// position, so that the two are summed apart). Without semantics those modes are 0 in the image.
class Modes : public Dataset {
 public:
  Modes(bool semantics, int64_t size, uint64_t seed) : size_(size), seed_(seed) {
    spread_ = torch::ones({kAll});
    spread_.slice(0, kNuisance).fill_(semantics ? kWeak : 0);
    info_.kind = "modes";
    info_.channels = 1;
    info_.hash = fmt::format("modes {} {}", semantics, seed);
    for (int k = 0; k < kRead; ++k)
      info_.factors.push_back({fmt::format("semantic{}", k), 2, 1, "content"});
    for (int k = 0; k < kRead; ++k)
      info_.factors.push_back({fmt::format("nuisance{}", k), 2, 1, "position"});
  }
  const DatasetInfo& info() const override { return info_; }
  int64_t size() const override { return size_; }
  Batch get(std::span<const int64_t> ids) const override {
    Batch batch;
    batch.ids.assign(ids.begin(), ids.end());
    batch.replicas = replicas_of(ids);
    std::vector<Tensor> rows;
    for (const int64_t id : ids) rows.push_back(normal(seed_, id, 0, kAll));
    const Tensor modes = torch::stack(rows);
    batch.images = (modes * spread_).view({batch.size(), 1, 1, kAll});
    batch.labels =
        torch::cat({modes.slice(1, kNuisance, kNuisance + kRead), modes.slice(1, 0, kRead)}, 1)
            .gt(0)
            .to(torch::kInt64);
    return batch;
  }

 private:
  DatasetInfo info_;
  int64_t size_;
  Seed seed_;
  Tensor spread_;
};

/// The denoiser from W = 0, of which probes see Wx in a channel with noise: what training has not
/// amplified is not there.
class Channel : public Denoiser {
 public:
  Channel() : Denoiser(torch::zeros({kAll, kAll}), {kNoise}, 1) {}
  std::vector<Tensor> features(const Batch& batch) override {
    std::vector<Tensor> noise;
    for (const int64_t id : batch.ids) noise.push_back(.01 * normal(Seed(21), id, 0, kAll));
    const Tensor out = batch.images.flatten(1).matmul(first().t()) + torch::stack(noise);
    return {out.unsqueeze(1)};
  }
};

/// At W = 0 the gradient of an example is −xz': |G|² = Σ λ², tr Σ = tr Λ tr(Λ + s²) + Σ λ².
double snr_at_zero(double semantic_variance) {
  const double squares = kNuisance + kSemantic * semantic_variance * semantic_variance;
  const double clean = kNuisance + kSemantic * semantic_variance;
  return squares / (clean * (clean + kAll * kNoise * kNoise) + squares);
}

struct View {
  Measurement snr, semantic_rate, nuisance_rate;
};

constexpr int64_t kBranches = 12;

/// Trained with or without semantics, read from images with or without. The same numbers in both
/// worlds, apart from what is deleted.
View view_of(bool semantics, bool read_semantics) {
  const Modes train(semantics, 1'000'000, 31), heldout(read_semantics, 3000, 32);
  const drive::Make make = [] { return std::make_shared<Channel>(); };
  Subject still = toy::subject(make, train, heldout);
  const auto noise = meter("objective_snr",
                           "units = 64\nexamples_per_unit = 32\nlevel_units = 0\nband_units = 0\n"
                           "weights = ['averaged']")
                         ->measure(still);
  TrainConfig config;
  config.budget_steps = kRunSteps;
  config.batch = config.microbatch = 32;
  config.learning_rate = 4e-3;
  config.warmup = config.decay = config.weight_decay = config.averaging = 0;
  const auto objective = make();
  Subject subject(make, start_of(*objective, config, 0), train, heldout, Seed(11));
  DrivePlan plan;
  plan.branches = kBranches;
  plan.steps = 50;
  plan.split = {1500, 500, 1000};
  plan.nulls = false;
  plan.attribution_images = 0;
  const auto drive = measure_drive(subject, plan);
  return {find(noise, "snr_per_example", {{"group", "trunk"}, {"metric", "euclidean"}}),
          find(drive, "useful_rate", {{"factor", "content"}}),
          find(drive, "useful_rate", {{"factor", "position"}})};
}

/// At least the standard error: its degrees of freedom are not fewer than the branches'.
double error_of(const Measurement& m) { return (*m.high - *m.low) / 2 / normal_quantile(.975); }

// Claim (design, section 7): without the semantic modes the total gradient SNR is what it was,
// while the useful rate of the semantic factors is gone. Levels 1e-6, 11 degrees of freedom of 12
// branches. H0 of the SNRs: the closed forms, .0567 and .0577 (64 units of 32 examples; standard
// error below 10%, so an SNR off by a half is seen with power above .99). H0 of the semantic rate:
// 0, rejected with semantics (z is 30: power above .999), not rejected without, where it is below
// 1% of the rate with.
TEST(DriveClosedForms, DeletedSemanticsChangeTheUsefulRateAndNotTheSnr) {
  const View with = view_of(true, true), without = view_of(false, true);
  const double snr_with = snr_at_zero(kWeak * kWeak), snr_without = snr_at_zero(0);
  EXPECT_NEAR(snr_with / snr_without, 1, .02);
  EXPECT_TRUE(compatible(with.snr, snr_with, 63));
  EXPECT_TRUE(compatible(without.snr, snr_without, 63));

  const double t = student_quantile(1 - 1e-6, kBranches - 1);
  EXPECT_GT(with.semantic_rate.value, t * error_of(with.semantic_rate));
  EXPECT_LT(std::abs(without.semantic_rate.value), t * error_of(without.semantic_rate));
  EXPECT_LT(without.semantic_rate.value, .01 * with.semantic_rate.value);
}

// What is loud is learned in both worlds alike. Read from images with semantics its rate is 1.7 to
// 3% lower where training had none (5 seeds of 5): nothing pulls the weights of those inputs, AdamW
// leaves noise on them, and through it semantics leak into the features. Read from images that have
// none it is the same to .4% (5 of 5), paired by draws; 2% allows for another platform's rounding.
TEST(DriveClosedForms, NuisanceIsLearnedWithOrWithoutSemantics) {
  const double with = view_of(true, false).nuisance_rate.value;
  const Measurement without = view_of(false, false).nuisance_rate;
  EXPECT_GT(*without.low, 0);
  EXPECT_NEAR(with / without.value, 1, .02);
  EXPECT_LT(view_of(false, true).nuisance_rate.value, without.value) << "leak through noise";
}

}  // namespace
}  // namespace assay
