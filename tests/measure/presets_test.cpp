// Every meter on every preset, over the embedded World.
#include "toy.h"

#include <fmt/format.h>

#include <chrono>
#include <numeric>
#include <set>

#include "assay/measure/objective_gradients.h"
#include "assay/stats/shared_draws.h"

namespace assay {
namespace {

Node table(const std::string& toml) { return parse_toml(toml, "test"); }

std::unique_ptr<Dataset> world(Split split, bool text) {
  for (const DatasetEntry& entry : dataset_entries())
    if (entry.name == "world")
      return entry.make(Options(table(fmt::format("view = \"{}\"\nexamples = 4000\nheldout = 4000",
                                                  text ? "caption" : "image")),
                                entry.options, "data"),
                        split, ".");
  throw std::logic_error("no world");
}

class EveryPreset : public testing::TestWithParam<std::string> {
 protected:
  EveryPreset() {
    const bool text = GetParam() == "token" || GetParam() == "token-masked";
    train_ = world(Split::train, text);
    heldout_ = world(Split::heldout, text);
    const DatasetInfo& info = train_->info();
    model_.width = 32;
    model_.depth = 2;
    if (text)
      shape_ = {.modality = Modality::text, .window = info.window};
    else
      shape_ = {.channels = info.channels, .image_size = info.image_size, .factors = info.factors};
    resolved_ =
        resolve_objective(table(fmt::format("preset = \"{}\"", GetParam())), model_, shape_);
  }
  std::shared_ptr<Objective> make() const {
    return make_objective(resolved_, model_, shape_, Seed(1));
  }
  Subject trial() const {
    return toy::subject([this] { return make(); }, *train_, *heldout_);
  }

  ModelConfig model_;
  DataShape shape_;
  Node resolved_;
  std::unique_ptr<Dataset> train_, heldout_;
};

INSTANTIATE_TEST_SUITE_P(Embedded, EveryPreset, testing::ValuesIn(preset_names()),
                         [](const auto& item) {
                           std::string name = item.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(EveryPreset, SnrIsMeasured) {
  Subject subject = trial();
  // Teachers and buffers too: a teacher that moved while it is measured would be another target.
  const auto held = [&] {
    std::vector<Tensor> all;
    for (const Tensor& tensor : subject.objective().parameters()) all.push_back(tensor.clone());
    for (const Tensor& tensor : subject.objective().buffers()) all.push_back(tensor.clone());
    return all;
  };
  const std::vector<Tensor> before = held();
  const auto all =
      toy::meter("objective_snr", "units = 8\nlevel_units = 8\nband_units = 8")->measure(subject);
  const std::vector<Tensor> after = held();
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(torch::equal(before[i], after[i])) << i;
  const std::map<std::string, std::string> trunk = {
      {"group", "trunk"}, {"metric", "euclidean"}, {"weights", "averaged"}};
  const Measurement share = toy::find(all, "objective_share", trunk, {"level", "band"});
  const std::set<std::string> without_draws = {"token", "pixel-ar", "pixel-token", "nepa"};
  if (without_draws.contains(GetParam()))
    EXPECT_EQ(share.value, 0);
  else
    EXPECT_GT(toy::find(all, "objective_variance", trunk, {"level", "band"}).value, 0);
  EXPECT_GT(toy::find(all, "total_variance", trunk, {"level", "band"}).value, 0);
}

// The estimators take an objective's noise for each example's own. A batch that couples its
// examples has one noise by definition: it is one unit, and seen to couple.
TEST_P(EveryPreset, DrawsAreNested) {
  const auto objective = make();
  FlatParameters flat(*objective);
  ObjectiveGradients source(*objective, flat, *train_);
  std::vector<int64_t> ids(24);
  std::iota(ids.begin(), ids.end(), 40);
  if (objective->coupled())
    EXPECT_FALSE(measure_coupling(source, ids, Seed(5), .5) < 1e-3);
  else
    EXPECT_NO_THROW(require_nested(source, ids, Seed(5), .5));
}

TEST_P(EveryPreset, PartsSumToTheGradient) {
  const auto objective = make();
  FlatParameters flat(*objective);
  ObjectiveGradients source(*objective, flat, *train_);
  const std::vector<int64_t> ids = {5, 9, 5, 77};
  const Draw draw = Draw::from(Seed(2), .5);
  const int64_t size = source.size(), parts = std::max<int64_t>(1, std::ssize(source.parts()));
  Tensor whole = torch::empty({size}), by_part = torch::empty({parts, size});
  source.gradient(ids, draw, {whole.data_ptr<float>(), static_cast<size_t>(size)});
  source.gradient_by_part(ids, draw,
                          {by_part.data_ptr<float>(), static_cast<size_t>(parts * size)});
  EXPECT_LT((by_part.sum(0) - whole).norm().item<double>(), 2e-5 * whole.norm().item<double>());
}

// Every term has a number or a reason, and at initial weights no prediction is better than the best
// one without input by more than a layer-normed head can be by luck.
TEST_P(EveryPreset, DemandIsMeasured) {
  Subject subject = trial();
  const auto all = toy::meter("demand", "fit = 256\nscore = 256\nunits = 8")->measure(subject);
  int target_snrs = 0;
  for (const Measurement& m : all) {
    EXPECT_TRUE(std::isfinite(m.value) || !m.note.empty()) << m.quantity;
    if (m.quantity != "target_snr") continue;
    ++target_snrs;
    EXPECT_FALSE(m.value <= -1) << "a loss below 0";
  }
  EXPECT_GT(target_snrs, 0);
  const Measurement share = toy::find(all, "conditional_share", {{"group", "trunk"}});
  if (make()->coupled())
    EXPECT_NE(share.note.find("couples"), std::string::npos);
  else
    EXPECT_TRUE(std::isfinite(share.value));
  EXPECT_GT(subject.flops_spent, 0);
}

// What stands between prediction and metric is the loss that training has.
TEST_P(EveryPreset, ComparedLossesAreTheLosses) {
  const auto objective = make();
  const torch::NoGradGuard no_gradient;
  std::vector<int64_t> ids(64);
  std::iota(ids.begin(), ids.end(), 3);
  const Batch batch = train_->get(ids);
  const Draw draw = Draw::from(Seed(2), .5);
  const LossMap plain = objective->losses(batch, draw);
  Comparing own, shuffled;
  Tensor seen = torch::zeros_like(plain.loss);
  own.see = [&](const Compared& c) {
    const Tensor loss = c.loss(c.prediction, c.target, {}).loss;
    const std::vector<Cell> cells = objective->cells();
    const auto first = std::find_if(cells.begin(), cells.end(),
                                    [&](const Cell& cell) { return cell.term == c.term; });
    seen.narrow(1, first - cells.begin(), loss.size(1)) += loss;
  };
  own.target_rows = torch::arange(64, torch::kLong);
  EXPECT_TRUE(torch::equal(objective->compared_losses(batch, draw, own).loss, plain.loss));
  const Tensor of_terms = seen.ne(0).to(torch::kFloat);
  EXPECT_TRUE(torch::allclose(seen, plain.loss * of_terms, 1e-5, 1e-6));
  EXPECT_GT(of_terms.sum().item<double>(), 0);
  if (objective->coupled()) return;
  shuffled.target_rows = own.target_rows.roll(-1);
  EXPECT_FALSE(torch::equal(objective->compared_losses(batch, draw, shuffled).loss, plain.loss));
}

// The trunk is the same for all: text, and images with and without causal attention.
TEST_P(EveryPreset, ProbeReadsTheWorldsFactors) {
  if (!std::set<std::string>{"token", "mae", "pixel-ar"}.contains(GetParam())) return;
  Subject subject = trial();
  const auto all =
      toy::meter("probe", "train = 600\nvalidation = 200\ntest = 400\nattentive_steps = 80")
          ->measure(subject);
  for (const std::string readout : {"linear", "attentive"}) {
    const std::map<std::string, std::string> sum = {{"factor", "all"}, {"readout", readout}};
    auto trained = sum;
    trained["features"] = "trained";
    EXPECT_TRUE(std::isfinite(toy::find(all, "bits", trained).value));
    // The weights are the initial ones, so nothing is gained.
    EXPECT_EQ(toy::find(all, "bits_gain", sum).value, 0);
  }
}

TEST_P(EveryPreset, HeldoutLossIsFinite) {
  Subject subject = trial();
  for (const Measurement& m : toy::meter("heldout_loss", "examples = 256")->measure(subject))
    EXPECT_TRUE(std::isfinite(m.value)) << m.quantity;
}

// A smaller batch is another objective: less than two whole ones is refused, not padded.
TEST_P(EveryPreset, CoupledLossNeedsWholeBatches) {
  Subject subject = trial();
  const auto meter = toy::meter("heldout_loss", "examples = 100");
  if (!make()->coupled()) {
    EXPECT_NO_THROW(meter->measure(subject));
    return;
  }
  try {
    meter->measure(subject);
    FAIL() << "100 examples are not two batches of 64";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "measure.too_few_examples");
    EXPECT_NE(error.help().find("train.batch"), std::string::npos);
  }
}

// What the meters cost with their defaults at the demo's width: ASSAY_VALIDATE=1 prints it.
TEST_P(EveryPreset, ValidateCostOfMeters) {
  if (!std::getenv("ASSAY_VALIDATE")) GTEST_SKIP() << "set ASSAY_VALIDATE=1";
  model_.width = 64;
  model_.depth = 4;
  resolved_ = resolve_objective(table(fmt::format("preset = \"{}\"", GetParam())), model_, shape_);
  for (const MeterEntry& entry : meter_entries()) {
    const auto meter = toy::meter(entry.name);
    for (const char* turn : {"first", "later"}) {
      Subject subject = trial();
      const auto start = std::chrono::steady_clock::now();
      const auto all = meter->measure(subject);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      fmt::print("{} {} {} call: {:.2f} s, {:.1f} GFLOP, {} measurements\n", GetParam(), entry.name,
                 turn, seconds.count(), subject.flops_spent / 1e9, all.size());
      for (const Measurement& m : all)
        if (m.quantity == "bits" && m.labels.at("factor") == "all" && std::string(turn) == "later")
          fmt::print("  {} {}: {:.2f} bits [{:.2f}, {:.2f}]\n", m.labels.at("readout"),
                     m.labels.at("features"), m.value, *m.low, *m.high);
    }
  }
}

}  // namespace
}  // namespace assay
