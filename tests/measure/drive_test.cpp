// Branches: closed forms of their displacements, what they must not touch, and planted faults.
#include "assay/measure/drive.h"

#include "assay/measure/drive/drift.h"
#include "assay/measure/drive/reading.h"
#include "tests/measure/branch_toy.h"

namespace assay {
namespace {

using namespace toy;

// SGD on ½(θ − x)'H(θ − x), x ~ N(0, Λ), batch B, K steps of rate η, a_i = 1 − ηh_i:
//   E d_i = −(1 − a_i^K) θ_i,   Var d_i = (ηh_i)² λ_i/B · (1 − a_i^{2K})/(1 − a_i²).
// H0: drift signal and spread are Σ (E d_i)² and Σ Var d_i. n = 300 branches, standard errors from
// the Gaussian closed forms (the displacement is Gaussian), z < 4.9 is level 1e-6; a spread 30% off
// or a step more or less would give z > 8. 40,000 examples: drawing without replacement takes
// K·B/40,000 < 1% off the variance.
TEST(Branches, DisplacementOfSgdOnAQuadratic) {
  const std::vector<double> lambda = {1, .5, .25, 2}, h = {1, 2, .5, .25};
  const Tensor theta = torch::tensor({.6f, -.3f, .9f, .2f});
  const Tensor curvature = torch::tensor({1.f, 2.f, .5f, .25f});
  const GaussianData data(lambda, 40000, 3);
  const drive::Make make = [&] { return std::make_shared<Quadratic>(theta, curvature); };
  const double rate = .1;
  constexpr int64_t kBatch = 16, kSteps = 20, kBranches = 300;
  const auto objective = make();
  const Subject::State start = start_of(*objective, sgd(rate, kBatch));
  std::vector<Tensor> displacements;
  for (int64_t r = 0; r < kBranches; ++r)
    displacements.push_back(
        drive::run_branch(make, start, data, kSteps, Seed(7).child(static_cast<uint64_t>(r)))
            .end.averaged -
        start.averaged);
  const auto drift = drive::parameter_drift(displacements, {{"trunk", 0, 4}}).front().estimate;
  double signal = 0, spread = 0, square = 0, along = 0;
  for (size_t i = 0; i < 4; ++i) {
    const double a = 1 - rate * h[i];
    const double mean = -(1 - std::pow(a, kSteps)) * theta[static_cast<int64_t>(i)].item<double>();
    const double variance = rate * rate * h[i] * h[i] * lambda[i] / kBatch *
                            (1 - std::pow(a, 2 * kSteps)) / (1 - a * a);
    signal += mean * mean;
    spread += variance;
    square += variance * variance;
    along += mean * mean * variance;
  }
  const double n = kBranches;
  EXPECT_NEAR(drift.spread.value, spread, 4.9 * std::sqrt(2 * square / (n - 1)) + .01 * spread);
  EXPECT_NEAR(drift.signal.value, signal,
              4.9 * std::sqrt(4 * along / n + 2 * square / (n * (n - 1))) + 1e-3 * signal);
}

/// A denoiser in eight dimensions, of which probes read the signs of the first two.
struct World {
  GaussianData data{{4, 3, 1, 1, .5, .5, .2, .2}, 600, 5};
  drive::Make make = [] {
    return std::make_shared<Denoiser>(torch::eye(8) * .2f, std::vector<double>{.3}, 1);
  };
  TrainConfig config = [] {
    TrainConfig c = sgd(.02, 16);
    c.epsilon = 1e-8;
    c.learning_rate = .01;
    return c;
  }();
  Subject subject() const {
    const auto objective = make();
    return {make, start_of(*objective, config), data, data, Seed(11)};
  }
  DrivePlan plan() const {
    DrivePlan plan;
    plan.branches = 3;
    plan.steps = 12;
    plan.split = {200, 100, 200};
    return plan;
  }
};

/// The denoiser with a second term that pulls its matrix to zero.
class TwoTerms : public Denoiser {
 public:
  explicit TwoTerms(Tensor weight) : Denoiser(std::move(weight), {.3}, 1) {}
  std::vector<Cell> cells() const override { return {{"toy", 0, 0}, {"pull", -1, -1}}; }
  std::map<std::string, double> expected_targets() const override {
    return {{"toy", 1.0}, {"pull", 2.0}};
  }
  LossMap losses(const Batch& batch, const Draw& draw) override {
    const LossMap map = Denoiser::losses(batch, draw);
    const Tensor pull = first().square().sum().expand({batch.size(), 1});
    return {torch::cat({map.loss, pull}, 1), torch::cat({map.targets, torch::ones_like(pull)}, 1)};
  }
};

TEST(Drive, LeavesTheTrialAloneAndChargesWhatItCosts) {
  const World world;
  Subject subject = world.subject();
  const Tensor live = subject.state().live.clone(), averaged = subject.state().averaged.clone();
  const auto records = measure_drive(subject, world.plan());
  EXPECT_TRUE(torch::equal(subject.state().live, live));
  EXPECT_TRUE(torch::equal(subject.state().averaged, averaged));
  // 3 branches × 12 steps × 16 examples × 3e6, and more for features and readouts.
  EXPECT_GT(subject.flops_spent, 3 * 12 * 16 * 3e6);
  const Measurement gain = find(records, "gain_bits", {{"factor", "sign"}});
  const Measurement rate = find(records, "useful_rate", {{"factor", "sign"}});
  ASSERT_TRUE(gain.low && gain.high);
  EXPECT_DOUBLE_EQ(rate.value, gain.value / (12 * 16 * 3e6 / 1e9));
  for (const char* quantity : {"useful_snr", "branch_variance", "image_variance"})
    EXPECT_NO_THROW(find(records, quantity, {{"factor", "all"}})) << quantity;
  EXPECT_NO_THROW(find(records, "drift_snr", {{"of", "parameters"}, {"group", "trunk"}}));
  EXPECT_NO_THROW(find(records, "drift_snr", {{"of", "features"}}));
}

TEST(Drive, NoBitDependsOnThreads) {
  const World world;
  Subject one = world.subject(), two = world.subject();
  DrivePlan plan = world.plan();
  const auto alone = measure_drive(one, plan);
  plan.threads = 3;
  const auto together = measure_drive(two, plan);
  ASSERT_EQ(alone.size(), together.size());
  for (size_t i = 0; i < alone.size(); ++i)
    EXPECT_EQ(alone[i].value, together[i].value) << alone[i].quantity;
}

// The null of shuffled labels: no readout gains on them. The validation set may still choose a
// ridge by luck, so the bound is |gain| < .1 bit where the factor has 1 bit.
TEST(Drive, ShuffledLabelsGainNothing) {
  const World world;
  Subject subject = world.subject();
  const auto records = measure_drive(subject, world.plan());
  const Measurement null =
      find(records, "null_gain_bits", {{"factor", "sign"}, {"null", "shuffled labels"}});
  EXPECT_LT(std::abs(null.value), .1);
}

TEST(Drive, ABranchThatDoesNotFitIsRefused) {
  const World world;
  Subject subject = world.subject();
  DrivePlan plan = world.plan();
  plan.steps = kRunSteps;
  try {
    measure_drive(subject, plan);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "measure.branches");
    EXPECT_NE(std::string(error.what()).find("390 steps left"), std::string::npos) << error.what();
  }
}

// Planted fault: branches that share their stream.
TEST(Drive, BranchesThatShareTheirDrawsAreCaught) {
  const World world;
  const auto objective = world.make();
  const Subject::State start = start_of(*objective, world.config);
  std::vector<Tensor> displacements;
  for (int r = 0; r < 2; ++r)
    displacements.push_back(
        drive::run_branch(world.make, start, world.data, 5, Seed(3)).end.averaged - start.averaged);
  EXPECT_THROW(drive::require_different(displacements), Error);
}

// Planted fault: readouts fitted and scored on the same images.
TEST(Drive, ReadoutsScoredOnTheirOwnImagesAreCaught) {
  const World world;
  probe::ProbeData data = probe::probe_data(world.data, {200, 100, 200}, {});
  const auto objective = world.make();
  EXPECT_NO_THROW(drive::read(*objective, world.data, data, 16, false));
  std::copy(data.ids.begin(), data.ids.begin() + 200, data.ids.end() - 200);
  EXPECT_THROW(drive::read(*objective, world.data, data, 16, false), Error);
}

// Another objective on the trial's trunk: the trunk is the trial's, bit for bit, at both weights,
// however long its head was trained.
TEST(Drive, AnotherObjectiveTakesTheTrunkAsItIs) {
  const World world;
  Subject subject = world.subject();
  const drive::Make other = [] {
    return std::make_shared<Denoiser>(torch::zeros({8, 8}), std::vector<double>{1, 2}, 2);
  };
  const Subject::State adopted = drive::adopt_trunk(subject, other, 5, Seed(2));
  const int64_t trunk = 64;
  EXPECT_TRUE(
      torch::equal(adopted.live.slice(0, 0, trunk), subject.state().live.slice(0, 0, trunk)));
  EXPECT_TRUE(torch::equal(adopted.averaged.slice(0, 0, trunk),
                           subject.state().averaged.slice(0, 0, trunk)));
  EXPECT_GT(adopted.live.slice(0, trunk).abs().max().item<double>(), 0);  // the head moved
  const auto records = measure_drive(subject, world.plan(), OtherObjective{"other", other});
  EXPECT_NO_THROW(find(records, "gain_bits", {{"factor", "all"}, {"objective", "other"}}));
}

// The parts of the way add up to it, to rounding: AdamW with momentum, decay and clipping at work,
// averages that lag, a start with moments, and an objective of two terms.
TEST(Path, PartsAddUpToTheDisplacement) {
  const World world;
  TrainConfig config;
  config.budget_steps = kRunSteps;
  config.batch = 16;
  config.microbatch = 4;
  config.clip_norm = .5;
  const drive::Make make = [] { return std::make_shared<TwoTerms>(torch::eye(8) * .2f); };
  const auto objective = make();
  const Subject::State first =
      drive::run_branch(make, start_of(*objective, config, 0), world.data, 30, Seed(1)).end;
  const drive::Branch branch = drive::run_branch(make, first, world.data, 25, Seed(2), true);
  ASSERT_EQ(branch.path.size(), 4u);  // two terms, momentum, weight decay
  Tensor sum = torch::zeros_like(first.averaged);
  for (const drive::PathPart& part : branch.path) {
    EXPECT_GT(part.displacement.norm().item<double>(), 0) << part.name;
    sum += part.displacement;
  }
  const Tensor whole = branch.end.averaged - first.averaged;
  EXPECT_LT((sum - whole).norm().item<double>(), 1e-5 * whole.norm().item<double>());
}

/// Learns to pick the first two of eight coordinates: ½|xW − (x₀, x₁)|², features xW [B, 1, 2].
class Selector : public ToyObjective {
 public:
  Selector() {
    auto trunk = register_module("trunk", std::make_shared<nn::Module>("trunk"));
    auto head = register_module("head", std::make_shared<nn::Module>("head"));
    weight_ = trunk->register_parameter(
        "weight", .3 * torch::eye(8).narrow(1, 0, 2) + .3 * normal(Seed(9), 0, 0, 16).view({8, 2}));
    head->register_parameter("unused", torch::zeros({1}));
  }
  std::vector<Cell> cells() const override { return {{"toy", -1, -1}}; }
  LossMap losses(const Batch& batch, const Draw&) override {
    const Tensor x = batch.images.flatten(1);
    const Tensor loss = (x.matmul(weight_) - x.narrow(1, 0, 2)).square().sum(1, true) / 2;
    return {loss, torch::ones_like(loss).detach()};
  }
  std::vector<Tensor> features(const Batch& batch) override {
    return {batch.images.flatten(1).matmul(weight_).unsqueeze(1)};
  }

 protected:
  Tensor first() const override { return weight_; }

 private:
  Tensor weight_;
};

// Attribution against the gain on the same images: readouts of both ends, a short way. Trapezoid
// and envelope leave third-order terms and the spread between branches; 15% of the gain is allowed,
// while a wrong sign or a missing half would be 200% or 50% off.
TEST(Attribution, AddsUpToTheGain) {
  const GaussianData data(std::vector<double>(8, 1.0), 4000, 5);
  const drive::Make make = [] { return std::make_shared<Selector>(); };
  const auto objective = make();
  TrainConfig config;
  config.budget_steps = kRunSteps;
  config.learning_rate = .004;
  config.warmup = config.decay = 0;
  Subject subject(make, start_of(*objective, config), data, data, Seed(11));
  DrivePlan plan = World().plan();
  plan.steps = 60;
  plan.split = {2000, 500, 1500};
  plan.attribution_images = plan.split.test;
  plan.nulls = false;
  const auto records = measure_drive(subject, plan);
  const double gain = find(records, "gain_bits", {{"factor", "all"}}).value;
  const Measurement attributed =
      find(records, "attribution_bits", {{"factor", "all"}, {"group", "trunk"}}, {"part"});
  EXPECT_GT(gain, .1);
  EXPECT_NEAR(attributed.value, gain, .15 * std::abs(gain));
  double parts = 0;
  for (const char* part : {"toy", "momentum", "weight decay"})
    parts +=
        find(records, "attribution_bits", {{"factor", "all"}, {"group", "trunk"}, {"part", part}})
            .value;
  EXPECT_NEAR(parts, attributed.value, 1e-6 + 1e-4 * std::abs(gain));
}

}  // namespace
}  // namespace assay
