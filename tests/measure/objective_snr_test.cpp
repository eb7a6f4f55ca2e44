// objective_snr through LibTorch against closed forms (notes: snr.md 4.1 and 4.3).
#include "toy.h"

#include "assay/measure/objective_gradients.h"
#include "assay/stats/noise_view.h"

namespace assay {
namespace {

constexpr double kDegrees = 63;  // 64 units
const std::vector<double> kSpectrum = {4, 2, 1, .5, .25, .125, .06, .03};

Tensor spectrum() { return torch::tensor(kSpectrum, torch::kFloat64); }

/// A matrix away from zero and from the optimum.
Tensor weight() {
  Tensor w = .3 * torch::eye(8);
  return w + .05 * toy::normal(Seed(3), 0, 0, 64).view({8, 8});
}

/// Traces of the gradient of ½|e|², e = rows [begin, end) of Wz − x, by W and by b.
struct Truth {
  double signal, total, data;    // of W
  double head_total, head_data;  // of b; its G is zero
};
Truth truth(double s, int64_t begin = 0, int64_t end = 8) {
  const Tensor w = weight().to(torch::kFloat64), identity = torch::eye(8, torch::kFloat64);
  const Tensor cov = torch::diag(spectrum());
  const Tensor a = cov + s * s * identity;
  const Tensor error = w.matmul(a).matmul(w.t()) - w.matmul(cov) - cov.matmul(w.t()) + cov;
  const Tensor m = w - identity;
  const auto rows = [&](const Tensor& t) { return t.slice(0, begin, end); };
  const auto trace = [&](const Tensor& t) {
    return t.diagonal().slice(0, begin, end).sum().item<double>();
  };
  const double signal = rows(w.matmul(a) - cov).square().sum().item<double>();
  const double all = a.diagonal().sum().item<double>(), clean = spectrum().sum().item<double>();
  const Tensor msm = m.matmul(cov).matmul(m.t());
  return {signal, trace(error) * all + signal,
          trace(msm) * clean + rows(m.matmul(cov)).square().sum().item<double>(), trace(error),
          trace(msm)};
}

const toy::GaussianData& data() {
  static const toy::GaussianData instance(kSpectrum, 1'000'000, 5);
  return instance;
}

std::vector<Measurement> measure(std::function<std::shared_ptr<Objective>()> make,
                                 const std::string& options = {}) {
  Subject subject = toy::subject(std::move(make), data(), data());
  return toy::meter("objective_snr", options)->measure(subject);
}

auto denoiser(std::vector<double> levels, int64_t bands = 1, double scale = 1) {
  return [=]() -> std::shared_ptr<Objective> {
    return std::make_shared<toy::Denoiser>(weight(), levels, bands, scale);
  };
}

// H0: each estimate equals its closed form; level 1e-6 per comparison; 64 units of 32 examples, so
// that a fault of a third of a trace is seen with power above .99 (its standard error is below 6%).
TEST(ObjectiveSnr, GaussianDenoiserMatchesClosedForms) {
  for (const double s : {.1, .5, 2.}) {
    SCOPED_TRACE(s);
    const Truth expected = truth(s);
    const auto all = measure(denoiser({s}), "examples_per_unit = 32\nweights = ['averaged']");
    const std::map<std::string, std::string> trunk = {{"group", "trunk"}, {"metric", "euclidean"}};
    const auto check = [&](const std::string& quantity, double value) {
      EXPECT_TRUE(toy::compatible(toy::find(all, quantity, trunk), value, kDegrees));
    };
    check("signal", expected.signal);
    check("data_variance", expected.data);
    check("objective_variance", expected.total - expected.data);
    check("total_variance", expected.total);
    check("objective_share", 1 - expected.data / expected.total);
    check("snr_per_example", expected.signal / expected.total);
    check("snr_per_gflop", expected.signal / expected.total / 3e-3);
    const std::map<std::string, std::string> head = {{"group", "head"}, {"metric", "euclidean"}};
    EXPECT_TRUE(toy::compatible(toy::find(all, "signal", head), 0, kDegrees));
    EXPECT_TRUE(
        toy::compatible(toy::find(all, "total_variance", head), expected.head_total, kDegrees));
    EXPECT_TRUE(
        toy::compatible(toy::find(all, "data_variance", head), expected.head_data, kDegrees));
    // Second moments are 4 everywhere: the Adam metric divides every square by 2.
    const auto euclidean = toy::find(all, "signal", trunk);
    const auto adam = toy::find(all, "signal", {{"group", "trunk"}, {"metric", "adam"}});
    EXPECT_NEAR(adam.value, euclidean.value / 2, 1e-5 * std::abs(euclidean.value));
  }
}

// Same hypothesis for each noise level (bins drawn homogeneously) and each band (rows of W).
TEST(ObjectiveSnr, LevelsAndBandsMatchClosedForms) {
  const std::vector<double> levels = {.1, .5, 2};
  const auto all = measure(denoiser(levels, 4),
                           "examples_per_unit = 16\nlevel_units = 64\nband_units = 64\n"
                           "weights = ['averaged']");
  for (size_t level = 0; level < levels.size(); ++level) {
    SCOPED_TRACE(level);
    const Truth expected = truth(levels[level]);
    const std::map<std::string, std::string> labels = {{"group", "trunk"},
                                                       {"level", fmt::format("{}", level)}};
    EXPECT_TRUE(toy::compatible(toy::find(all, "signal", labels), expected.signal, kDegrees));
    EXPECT_TRUE(toy::compatible(toy::find(all, "data_variance", labels), expected.data, kDegrees));
    EXPECT_TRUE(
        toy::compatible(toy::find(all, "total_variance", labels), expected.total, kDegrees));
  }
  const auto single = measure(denoiser({.5}, 4), "examples_per_unit = 16\nband_units = 64");
  for (int64_t band = 0; band < 4; ++band) {
    SCOPED_TRACE(band);
    const Truth expected = truth(.5, 2 * band, 2 * band + 2);
    const std::map<std::string, std::string> labels = {{"group", "trunk"},
                                                       {"band", fmt::format("band{}", band)}};
    EXPECT_TRUE(toy::compatible(toy::find(single, "signal", labels), expected.signal, kDegrees));
    EXPECT_TRUE(
        toy::compatible(toy::find(single, "total_variance", labels), expected.total, kDegrees));
    EXPECT_TRUE(
        toy::compatible(toy::find(single, "data_variance", labels), expected.data, kDegrees));
  }
}

// Closed form 4.1: G = H(θ − μ), tr Σ = tr(HCH), and no objective variance at all.
TEST(ObjectiveSnr, QuadraticMatchesClosedForm) {
  const Tensor curvature = torch::tensor({1., 2., 3., 1., 2., 3., 1., 2.}, torch::kFloat32);
  const Tensor theta = torch::full({8}, .4f);
  const auto all = measure(
      [=]() -> std::shared_ptr<Objective> {
        return std::make_shared<toy::Quadratic>(theta, curvature);
      },
      "examples_per_unit = 16");
  const Tensor h = curvature.to(torch::kFloat64);
  for (const std::string weights : {"averaged", "live"}) {
    const std::map<std::string, std::string> labels = {
        {"group", "trunk"}, {"metric", "euclidean"}, {"weights", weights}};
    EXPECT_TRUE(toy::compatible(toy::find(all, "signal", labels),
                                (h * .4).square().sum().item<double>(), kDegrees));
    EXPECT_TRUE(toy::compatible(toy::find(all, "total_variance", labels),
                                (h.square() * spectrum()).sum().item<double>(), kDegrees));
    EXPECT_EQ(toy::find(all, "objective_variance", labels).value, 0);
    EXPECT_EQ(toy::find(all, "objective_share", labels).value, 0);
  }
}

TEST(ObjectiveSnr, NoRandomnessOfItsOwnMeansExactlyZeroObjectiveVariance) {
  const auto all = measure(denoiser({0}), "weights = ['live']");
  const auto m =
      toy::find(all, "objective_variance", {{"group", "trunk"}, {"metric", "euclidean"}});
  EXPECT_EQ(m.value, 0);
  EXPECT_EQ(m.low.value(), 0);
  EXPECT_EQ(m.high.value(), 0);
}

TEST(ObjectiveSnr, LossTimesThousandChangesNoRatio) {
  const auto one = measure(denoiser({.5}));
  const auto thousand = measure(denoiser({.5}, 1, 1000));
  for (const std::string quantity : {"snr_per_example", "objective_share"}) {
    const auto a = toy::find(one, quantity,
                             {{"group", "trunk"}, {"metric", "euclidean"}, {"weights", "live"}});
    const auto b = toy::find(thousand, quantity,
                             {{"group", "trunk"}, {"metric", "euclidean"}, {"weights", "live"}});
    EXPECT_NEAR(b.value / a.value, 1, 1e-4);
  }
}

// The gradient is the loss's: what the optimiser makes of it is not measured.
TEST(ObjectiveSnr, ClippingAndWeightDecayAreNotInTheGradient) {
  const auto under = [](double clip_norm, double weight_decay) {
    Subject::State state = toy::subject(denoiser({.5}), data(), data()).state();
    state.train.clip_norm = clip_norm;
    state.train.weight_decay = weight_decay;
    Subject subject(denoiser({.5}), std::move(state), data(), data(), Seed(11));
    return toy::meter("objective_snr")->measure(subject);
  };
  const auto plain = under(0, 0), optimised = under(1e-3, 10);
  ASSERT_EQ(plain.size(), optimised.size());
  for (size_t i = 0; i < plain.size(); ++i) {
    ASSERT_EQ(plain[i].quantity, optimised[i].quantity);
    EXPECT_TRUE(plain[i].value == optimised[i].value || std::isnan(plain[i].value));
  }
}

/// Loss ½|θ + θ − x|², one θ that the trunk has under two names.
class Tied : public toy::Quadratic {
 public:
  explicit Tied(const Tensor& theta) : Quadratic(theta, torch::ones({8})) {
    const auto trunk = named_children()["trunk"];
    theta_ = trunk->named_parameters()["theta"];
    trunk->register_parameter("again", theta_);
  }
  LossMap losses(const Batch& batch, const Draw&) override {
    const Tensor loss = (theta_ + theta_ - batch.images.flatten(1)).square().sum(1, true) / 2;
    return {loss, torch::ones_like(loss).detach()};
  }

 private:
  Tensor theta_;
};

// Closed form: g = 2 (2θ − x), so |G|² = 16 |θ|² and tr Σ = 4 tr S, once.
TEST(ObjectiveSnr, TiedWeightsCountOnce) {
  const auto make = []() -> std::shared_ptr<Objective> {
    return std::make_shared<Tied>(torch::full({8}, .4f));
  };
  const auto all = measure(make, "examples_per_unit = 16");
  const std::map<std::string, std::string> labels = {
      {"group", "trunk"}, {"metric", "euclidean"}, {"weights", "live"}};
  EXPECT_TRUE(toy::compatible(toy::find(all, "signal", labels), 16 * 8 * .16, kDegrees));
  EXPECT_TRUE(toy::compatible(toy::find(all, "total_variance", labels),
                              4 * spectrum().sum().item<double>(), kDegrees));
}

TEST(ObjectiveSnr, RowsOfPartsSumToTheGradient) {
  toy::Denoiser objective(weight(), {.1, .5, 2}, 4);
  FlatParameters flat(objective);
  ObjectiveGradients source(objective, flat, data());
  const std::vector<int64_t> ids = {3, 17, 4, 4, 100};
  const Draw draw = Draw::from(Seed(9), 0);
  const auto size = static_cast<size_t>(source.size());
  std::vector<float> whole(size), parts(4 * size);
  source.gradient(ids, draw, whole);
  source.gradient_by_part(ids, draw, parts);
  double norm = 0, difference = 0;
  for (size_t i = 0; i < size; ++i) {
    const double sum = parts[i] + parts[size + i] + parts[2 * size + i] + parts[3 * size + i];
    norm += whole[i] * whole[i];
    difference += (sum - whole[i]) * (sum - whole[i]);
  }
  EXPECT_LT(std::sqrt(difference / norm), 1e-6);
  EXPECT_GT(norm, 0);
}

// A finite population with all its draws, against sums over every per-example gradient in double.
TEST(ObjectiveSnr, WholePopulationIsExact) {
  const toy::GaussianData small(kSpectrum, 24, 8);
  toy::Denoiser objective(weight(), {.5}, 1);
  FlatParameters flat(objective);
  ObjectiveGradients source(objective, flat, small);
  std::vector<int64_t> ids(24);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i);
  const int64_t draws = 3;
  NoisePlan plan{.units = 24, .examples_per_unit = 1, .draws = draws};
  plan.exhaustive = true;
  const NoiseEstimate found = measure_noise(source, ids, plan, Seed(1), 0).at("trunk");

  const Tensor w = weight().to(torch::kFloat64);
  const Tensor x = small.get(ids).images.flatten(1).to(torch::kFloat64);
  std::vector<Tensor> gradients;
  for (uint64_t j = 0; j < draws; ++j)
    for (const int64_t id : ids) {
      const Tensor z = x[id] + .5 * toy::normal(Seed(j), id, 0, 8).to(torch::kFloat64);
      gradients.push_back(torch::outer(w.matmul(z) - x[id], z).flatten());
    }
  const Tensor g = torch::stack(gradients).view({draws, 24, 64});
  const Tensor mean = g.mean({0, 1}), by_example = g.mean(0);
  const double signal = mean.square().sum().item<double>();
  const double between = (by_example - mean).square().sum(1).mean().item<double>();
  const double within = (g - by_example).square().sum(2).mean().item<double>();
  EXPECT_NEAR(found.signal.value, signal, 1e-5 * signal);
  EXPECT_NEAR(found.trace_data.value, between, 1e-5 * between);
  EXPECT_NEAR(found.trace_objective.value, within, 1e-5 * within);
}

TEST(ObjectiveSnr, FewerUnitsWhereMemoryIsShortAreSaid) {
  const auto make = []() -> std::shared_ptr<Objective> {
    return std::make_shared<toy::Quadratic>(torch::zeros({8}), torch::ones({8}));
  };
  const toy::GaussianData few(kSpectrum, 60, 5);
  Subject subject = toy::subject(make, few, few);
  const auto all = toy::meter("objective_snr")->measure(subject);
  const auto m =
      toy::find(all, "signal", {{"group", "trunk"}, {"metric", "adam"}, {"weights", "live"}});
  EXPECT_EQ(m.n, 60);
  EXPECT_NE(m.note.find("15 units instead of 64"), std::string::npos);
}

class Coupled : public toy::Denoiser {
 public:
  Coupled() : Denoiser(weight(), {.5}, 1) {}
  bool coupled() const override { return true; }
};

// The unit is a batch of the training size, whatever the options say; 64 units of 4 examples pay
// for 3·256/32 = 24 such units.
TEST(ObjectiveSnr, CoupledObjectiveIsMeasuredInTrainingBatches) {
  Subject subject = toy::subject([] { return std::make_shared<Coupled>(); }, data(), data());
  const_cast<Subject::State&>(subject.state()).train.batch = 32;
  const auto all = toy::meter("objective_snr")->measure(subject);
  const auto m = toy::find(all, "signal",
                           {{"group", "trunk"}, {"metric", "euclidean"}, {"weights", "averaged"}},
                           {"level", "band"});
  EXPECT_EQ(m.n, 24 * 32);
  EXPECT_NE(m.method.find("24 units of 32 examples"), std::string::npos) << m.method;
}

TEST(ObjectiveSnr, DeadParametersAreCounted) {
  Subject subject = toy::subject(denoiser({.5}), data(), data());
  subject.state().raw_second_moments.slice(0, 0, 16).zero_();
  const auto all = toy::meter("objective_snr", "weights = ['averaged']")->measure(subject);
  EXPECT_DOUBLE_EQ(toy::find(all, "dead_parameter_share", {{"group", "trunk"}}).value, .25);
  EXPECT_DOUBLE_EQ(toy::find(all, "dead_parameter_share", {{"group", "head"}}).value, 0);
}

}  // namespace
}  // namespace assay
