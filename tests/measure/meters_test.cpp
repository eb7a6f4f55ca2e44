// Held-out loss, the online estimate, and what every registered meter must do.
#include "toy.h"

#include <nlohmann/json.hpp>

#include "assay/core/hash.h"
#include "assay/measure/online_snr.h"

namespace assay {
namespace {

const std::vector<double> kSpectrum = {4, 2, 1, .5, .25, .125, .06, .03};
const toy::GaussianData& train_data() {
  static const toy::GaussianData instance(kSpectrum, 5000, 1);
  return instance;
}
const toy::GaussianData& heldout_data() {
  static const toy::GaussianData instance(kSpectrum, 900, 2);
  return instance;
}
std::shared_ptr<Objective> make_denoiser() {
  return std::make_shared<toy::Denoiser>(.5 * torch::eye(8), std::vector<double>{.1, 1}, 4);
}
Subject trial(double fraction = 1) {
  Subject subject = toy::subject(make_denoiser, train_data(), heldout_data(), fraction);
  subject.state().averaged.mul_(.9);
  return subject;
}

TEST(HeldoutLoss, EqualsTheDirectMean) {
  Subject subject = trial();
  const auto all = toy::meter("heldout_loss", "draws = 3")->measure(subject);
  // 900 examples are all there are; the draws are the meter's own, replayed here example by
  // example.
  for (const Weights weights : {Weights::averaged, Weights::live}) {
    SCOPED_TRACE(to_string(weights));
    subject.load(weights);
    double loss = 0, cell_loss = 0, cell_targets = 0;
    for (int64_t id = 0; id < 900; ++id)
      for (uint64_t j = 0; j < 3; ++j) {
        const Seed seed = Seed(0).child("heldout_loss").child("draws").child(j);
        const std::vector<int64_t> ids = {id};
        torch::NoGradGuard no_grad;
        const LossMap map =
            subject.objective().losses(heldout_data().get(ids), Draw::from(seed, 1));
        loss += map.loss.sum().item<double>();
        cell_loss += map.loss[0][5].item<double>();
        cell_targets += map.targets[0][5].item<double>();
      }
    const std::map<std::string, std::string> labels = {{"weights", to_string(weights)}};
    const auto term = toy::find(all, "loss_per_target", labels, {"level", "band"});
    EXPECT_NEAR(term.value, loss / 2700, 1e-5 * loss / 2700);
    EXPECT_EQ(term.n, 900);
    EXPECT_LT(*term.low, term.value);
    auto of_cell = labels;
    of_cell["level"] = "1";
    of_cell["band"] = "band1";
    EXPECT_NEAR(toy::find(all, "loss_per_target", of_cell).value, cell_loss / cell_targets,
                1e-5 * cell_loss / cell_targets);
  }
}

TEST(HeldoutLoss, DrawsArePairedAlongTraining) {
  Subject early = trial(.1), late = trial(.4);
  const auto a = toy::meter("heldout_loss")->measure(early);
  const auto b = toy::meter("heldout_loss")->measure(late);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].value, b[i].value);
}

/// Squared norms of m microbatch gradients N(G, Σ/b) with |G|² = 4 and tr Σ = 400 in 50 dimensions.
struct Step {
  std::vector<double> norms, sum;
};
Step step(uint64_t index, int64_t microbatches, int64_t examples) {
  Tensor g = toy::normal(Seed(41), static_cast<int64_t>(index), 0, microbatches * 50)
                 .view({microbatches, 50})
                 .to(torch::kFloat64) *
             std::sqrt(8.0 / static_cast<double>(examples));
  g.select(1, 0) += 2;
  const Tensor norms = g.square().sum(1).contiguous();
  return {{norms.data_ptr<double>(), norms.data_ptr<double>() + microbatches},
          {g.sum(0).square().sum().item<double>()}};
}
void feed(OnlineSnr& online, uint64_t from, uint64_t to) {
  for (uint64_t i = from; i < to; ++i) {
    const Step s = step(i, 8, 8);
    for (const double norm : s.norms) online.microbatch(static_cast<int64_t>(i), {&norm, 1});
    online.batch(static_cast<int64_t>(i), s.sum);
  }
}

// H0: signal = 4, trace = 400, level 1e-6 each, about 200 effective steps of 64 examples (a
// standard error of about 2% and 1%).
TEST(OnlineSnr, MatchesPlantedSignalAndTrace) {
  OnlineSnr online({{"trunk", 0, 50}}, 8, 8, 2e9);
  const Subject subject = trial();
  EXPECT_TRUE(online.measurements(subject).empty());
  feed(online, 0, 600);
  const auto all = online.measurements(subject);
  EXPECT_TRUE(toy::compatible(toy::find(all, "signal", {{"group", "trunk"}}), 4, 198));
  EXPECT_TRUE(toy::compatible(toy::find(all, "total_variance", {}), 400, 198));
  EXPECT_TRUE(toy::compatible(toy::find(all, "snr_per_example", {}), .01, 198));
  EXPECT_NEAR(toy::find(all, "snr_per_gflop", {}).value, .005, .002);
  EXPECT_NEAR(static_cast<double>(toy::find(all, "signal", {}).n), 199 * 64, 64 * 2);
}

TEST(OnlineSnr, ResumesBitForBit) {
  OnlineSnr whole({{"trunk", 0, 50}}, 8, 8, 2e9), first({{"trunk", 0, 50}}, 8, 8, 2e9),
      second({{"trunk", 0, 50}}, 8, 8, 2e9);
  feed(whole, 0, 40);
  feed(first, 0, 17);
  second.restore(nlohmann::json::parse(first.state().dump()));
  feed(second, 17, 40);
  EXPECT_EQ(whole.state(), second.state());
  const Subject subject = trial();
  const auto a = whole.measurements(subject), b = second.measurements(subject);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].value, b[i].value);
    EXPECT_EQ(a[i].low, b[i].low);
  }
}

class EveryMeter : public testing::TestWithParam<std::string> {
 protected:
  static std::string small(const std::string& name) {
    if (name == "probe") return "train = 100\nvalidation = 50\ntest = 50\nattentive_steps = 10";
    if (name == "objective_snr") return "units = 8\nlevel_units = 8\nband_units = 8";
    if (name == "demand") return "fit = 200\nscore = 100\nunits = 8";
    if (name == "drive") return "branches = 2\nsteps = 3\ntrain = 100\nvalidation = 50\ntest = 50";
    return {};
  }
};

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const MeterEntry& entry : meter_entries()) out.push_back(entry.name);
  return out;
}
INSTANTIATE_TEST_SUITE_P(Registered, EveryMeter, testing::ValuesIn(names()),
                         [](const auto& item) { return item.param; });

TEST_P(EveryMeter, IsDocumentedAndRefusesUnknownOptions) {
  for (const MeterEntry& entry : meter_entries()) {
    if (entry.name != GetParam()) continue;
    EXPECT_FALSE(entry.summary.empty());
    for (const Option& option : entry.options) {
      EXPECT_FALSE(option.help.empty()) << option.name;
      EXPECT_TRUE(option.optional || !option.fallback.is_null())
          << option.name << " has no default: meters run without options";
    }
  }
  EXPECT_THROW(toy::meter(GetParam(), "no_such_option = 1"), Error);
}

TEST_P(EveryMeter, GivesCompleteMeasurementsTwiceTheSameAndOnlyReads) {
  Subject one = trial(), two = trial();
  const Tensor live = one.state().live.clone(), averaged = one.state().averaged.clone();
  const auto first = toy::meter(GetParam(), small(GetParam()))->measure(one);
  // Another meter ran before, and left its own weights loaded.
  two.load(Weights::initial);
  torch::randn({3});
  const auto second = toy::meter(GetParam(), small(GetParam()))->measure(two);
  ASSERT_EQ(first.size(), second.size());
  ASSERT_FALSE(first.empty());
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(to_json(first[i]), to_json(second[i]));
    EXPECT_EQ(first[i].meter, GetParam());
    EXPECT_FALSE(first[i].quantity.empty());
    EXPECT_FALSE(first[i].unit.empty());
    EXPECT_FALSE(first[i].method.empty());
    EXPECT_EQ(first[i].step, 1000);
    EXPECT_GT(first[i].n, 0);
    EXPECT_TRUE(std::isfinite(first[i].value) || !first[i].note.empty());
  }
  EXPECT_TRUE(torch::equal(one.state().live, live));
  EXPECT_TRUE(torch::equal(one.state().averaged, averaged));
  EXPECT_GT(one.flops_spent, 0);
  EXPECT_EQ(one.flops_spent, two.flops_spent);
}

TEST_P(EveryMeter, LeavesTheGlobalGeneratorAlone) {
  Subject subject = trial();
  torch::manual_seed(5);
  const Tensor expected = torch::randn({4});
  torch::manual_seed(5);
  toy::meter(GetParam(), small(GetParam()))->measure(subject);
  EXPECT_TRUE(torch::equal(torch::randn({4}), expected));
}

}  // namespace
}  // namespace assay
