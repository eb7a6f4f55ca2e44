// The nested analysis of variance against closed forms, finite populations and planted faults.
#include "assay/stats/noise_view.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "assay/core/error.h"
#include "stats/repeat.h"

namespace assay {
namespace {

using namespace testing;

// Quadratic loss. Hypotheses: the means of |G|² and tr Σ are the closed forms, and so are their
// variances (exact for Gaussian gradients); n = 3,000 measurements of 16 × 2 examples, each at
// level 1e-6. Power: a mean off by 10% of one measurement's standard deviation, or a variance off
// by 15%, is found.
TEST(NoiseView, QuadraticHasTheMeanAndVarianceOfTheClosedForm) {
  QuadraticSource source(12);
  const NoisePlan plan{.units = 16, .examples_per_unit = 2, .draws = 2};
  Averages averages;
  std::vector<double> signals, totals;
  repeat(source, plan, 3000, [&](const NoiseView& view) {
    const NoiseEstimate& e = view.at("all");
    averages.add(e);
    signals.push_back(e.signal.value);
    totals.push_back(e.trace_total.value);
    ASSERT_EQ(e.trace_objective.value, 0);  // no randomness of its own: exactly zero
    ASSERT_EQ(e.trace_objective.high, 0);
    ASSERT_EQ(e.objective_share.value, 0);
  });
  const Matrix covariance = source.covariance();
  const Vector mean = source.mean();
  const double m = 16, b = 2, square = (covariance * covariance).trace();
  EXPECT_LT(std::abs(z_score(averages.signal, mean.squaredNorm())), kLevel);
  EXPECT_LT(std::abs(z_score(averages.total, covariance.trace())), kLevel);
  const auto expect_variance = [](const std::vector<double>& values, double center, double truth) {
    Moments squares;
    for (const double x : values) squares.add((x - center) * (x - center));
    EXPECT_LT(std::abs(z_score(squares, truth)), kLevel) << squares.mean() << " for " << truth;
  };
  expect_variance(signals, mean.squaredNorm(),
                  4 * mean.dot(covariance * mean) / (m * b) + 2 * square / (b * b * m * (m - 1)));
  expect_variance(totals, covariance.trace(), 2 * square / (m - 1));
}

// Denoising of Gaussian data, every level and the mixture of levels, every band and the whole. n =
// 500 measurements of 16 × 4 examples with 2 or 3 draws; 60 comparisons at level 1e-6. Power:
// errors of 3 to 10% are found.
TEST(NoiseView, DenoisingSplitsDataAndObjectiveByLevelAndBand) {
  DenoisingSource source;
  for (const int bin : {-1, 0, 1, 2}) {
    NoisePlan plan{.units = 16, .examples_per_unit = 4, .draws = bin == 1 ? 3 : 2};
    plan.by_part = true;
    if (bin >= 0) plan.level_bin = bin;
    std::map<std::string, Averages> averages;
    repeat(source, plan, 500, [&](const NoiseView& view) {
      EXPECT_EQ(view.rows.size(), 2u * 5u);
      averages["half"].add(view.at("half"));
      averages["whole"].add(view.at("all"));
      for (const std::string& part : source.parts()) {
        averages[part].add(view.at("all", "euclidean", part));
      }
    });
    const auto expect = [&](const std::string& name, int first, int last) {
      const DenoisingSource::Truth truth = source.truth(bin, first, last);
      const Averages& a = averages[name];
      EXPECT_LT(std::abs(z_score(a.signal, truth.signal)), kLevel) << name << " level " << bin;
      EXPECT_LT(std::abs(z_score(a.data, truth.data)), kLevel) << name << " level " << bin;
      EXPECT_LT(std::abs(z_score(a.objective, truth.objective)), kLevel) << name << " " << bin;
      EXPECT_LT(a.total.standard_error(), 0.03 * (truth.data + truth.objective)) << name;
      EXPECT_LE(truth.signal, 0.5 * (truth.data + truth.objective));
    };
    expect("whole", 0, 8);
    expect("half", 0, 4);
    for (size_t band = 0; band < source.bands.size(); ++band) {
      expect(source.parts()[band], source.bands[band].first, source.bands[band].second);
    }
  }
}

// A finite population given as a table: example × draw × parameter, split into two parts.
class TableSource : public GradientSource {
 public:
  static constexpr int64_t kExamples = 64, kDraws = 3, kSize = 40;
  int64_t size() const override { return kSize; }
  std::vector<Group> groups() const override { return {{"all", 0, kSize}, {"tail", 30, kSize}}; }
  std::vector<std::string> parts() const override { return {"low", "high"}; }
  static float entry(int64_t id, int64_t draw, int64_t parameter, int part) {
    const double own = uniform(Seed(1), id * kDraws + draw, parameter * 2 + part);
    return static_cast<float>(0.2 + uniform(Seed(2), id, parameter * 2 + part) + own * own);
  }
  void gradient_by_part(std::span<const int64_t> examples, const Draw& draw,
                        std::span<float> out) override {
    const int64_t index = static_cast<int64_t>(draw.pattern.value());
    ASSERT_LT(index, kDraws);
    for (int64_t i = 0; i < 2 * kSize; ++i) {
      out[static_cast<size_t>(i)] =
          entry(examples[0], index, i % kSize, static_cast<int>(i / kSize));
    }
  }
  void gradient(std::span<const int64_t> examples, const Draw& draw,
                std::span<float> out) override {
    std::vector<float> both(2 * kSize);
    gradient_by_part(examples, draw, both);
    for (size_t i = 0; i < kSize; ++i) out[i] = both[i] + both[kSize + i];
  }
};

// Population values by plain loops in double. Tolerance: the spans are fp32, so 2e-6 of the value.
TEST(NoiseView, ExhaustiveRunGivesThePopulationsOwnValues) {
  constexpr int64_t examples = TableSource::kExamples, draws = TableSource::kDraws;
  std::vector<float> weight(TableSource::kSize);
  for (size_t i = 0; i < weight.size(); ++i) weight[i] = 0.1f + static_cast<float>(i) * 0.05f;
  NoisePlan plan{.units = examples, .examples_per_unit = 1, .draws = draws};
  plan.by_part = plan.exhaustive = true;
  TableSource source;
  const NoiseView view =
      measure_noise(source, consecutive(0, examples), plan, Seed(1), 0, {{"adam", weight}});
  EXPECT_EQ(view.gradient_calls, examples * draws);
  EXPECT_EQ(view.rows.size(), 2u * 2u * 3u);
  for (const NoiseRow& row : view.rows) {
    const int64_t begin = row.group == "tail" ? 30 : 0;
    double signal = 0, data = 0, objective = 0;
    for (int64_t p = begin; p < TableSource::kSize; ++p) {
      const auto value = [&](int64_t id, int64_t draw) {
        const double low = static_cast<double>(TableSource::entry(id, draw, p, 0));
        const double high = static_cast<double>(TableSource::entry(id, draw, p, 1));
        return (row.part == "high" ? 0 : low) + (row.part == "low" ? 0 : high);
      };
      Moments means;
      double within = 0;
      for (int64_t id = 0; id < examples; ++id) {
        Moments own;
        for (int64_t draw = 0; draw < draws; ++draw) own.add(value(id, draw));
        means.add(own.mean());
        within += own.population_variance() / examples;
      }
      const double w =
          row.metric == "adam" ? static_cast<double>(weight[static_cast<size_t>(p)]) : 1;
      signal += w * means.mean() * means.mean();
      data += w * means.population_variance();
      objective += w * within;
    }
    const NoiseEstimate& e = row.estimate;
    const double total = data + objective;
    EXPECT_NEAR(e.signal.value / signal, 1, 2e-6) << row.group << row.metric << row.part;
    EXPECT_NEAR(e.trace_data.value / data, 1, 2e-6);
    EXPECT_NEAR(e.trace_objective.value / objective, 1, 2e-6);
    EXPECT_NEAR(e.trace_total.value / total, 1, 2e-6);
    EXPECT_NEAR(e.objective_share.value, objective / total, 2e-6);
    EXPECT_NEAR(e.snr_per_example.value / (signal / total), 1, 4e-6);
    EXPECT_EQ(e.signal.low, e.signal.high);
  }
}

// Scales every gradient: the loss times a constant.
class ScaledSource : public GaussianSource {
 public:
  double factor = 1;
  using GaussianSource::GaussianSource;
  Vector example_gradient(int64_t id, const Draw& draw) const override {
    return factor * GaussianSource::example_gradient(id, draw);
  }
};

TEST(NoiseView, LossTimesAThousandLeavesRatiosUnchanged) {
  const GaussianSource base = gaussian(300, 3, 0.5);
  ScaledSource scaled(base.mean, base.data, base.objective);
  const NoisePlan plan{.units = 12, .examples_per_unit = 3, .draws = 2};
  const NoiseEstimate one = measure_noise(scaled, consecutive(0, 36), plan, Seed(1), 0).at("all");
  scaled.factor = 1000;
  const NoiseEstimate thousand =
      measure_noise(scaled, consecutive(0, 36), plan, Seed(1), 0).at("all");
  EXPECT_NEAR(thousand.signal.value / one.signal.value, 1e6, 1e6 * 1e-5);
  EXPECT_NEAR(thousand.snr_per_example.value / one.snr_per_example.value, 1, 1e-5);
  EXPECT_NEAR(thousand.snr_per_example.high / one.snr_per_example.high, 1, 1e-5);
  EXPECT_NEAR(thousand.objective_share.value / one.objective_share.value, 1, 1e-5);
  EXPECT_NEAR(thousand.effective_dimension.value / one.effective_dimension.value, 1, 1e-5);
}

TEST(NoiseView, AUniformMetricOnlyScales) {
  GaussianSource source = gaussian(300, 3, 0.5);
  const std::vector<float> weight(300, 4.0f);
  const NoisePlan plan{.units = 12, .examples_per_unit = 3, .draws = 2};
  const NoiseView view =
      measure_noise(source, consecutive(0, 36), plan, Seed(1), 0, {{"adam", weight}});
  EXPECT_NEAR(view.at("all", "adam").signal.value, 4 * view.at("all").signal.value, 1e-5);
  EXPECT_NEAR(view.at("all", "adam").snr_per_example.value, view.at("all").snr_per_example.value,
              1e-7);
  EXPECT_THROW(view.at("head"), Error);
}

// Remembers how it was called.
class RecordingSource : public GaussianSource {
 public:
  struct Call {
    std::vector<int64_t> ids;
    Draw draw;
  };
  std::vector<Call> calls;
  using GaussianSource::GaussianSource;
  void gradient(std::span<const int64_t> examples, const Draw& draw,
                std::span<float> out) override {
    calls.push_back({{examples.begin(), examples.end()}, draw});
    GaussianSource::gradient(examples, draw, out);
  }
};

TEST(NoiseView, RepeatsExamplesWithFreshDrawsAndIsPure) {
  const GaussianSource base = gaussian(20, 1, 1);
  RecordingSource source(base.mean, base.data, base.objective);
  NoisePlan plan{.units = 6, .examples_per_unit = 3, .draws = 3};
  plan.level_bin = 4;
  const std::vector<int64_t> ids = consecutive(50, 18);
  const NoiseView view = measure_noise(source, ids, plan, Seed(9), 0.25);
  EXPECT_EQ(view.gradient_calls, 18);
  EXPECT_EQ(view.example_gradients, 54);
  ASSERT_EQ(source.calls.size(), 18u);
  std::set<Seed> patterns, levels;
  for (size_t i = 0; i < 18; ++i) {
    const RecordingSource::Call& call = source.calls[i];
    EXPECT_EQ(call.ids, consecutive(50 + 3 * static_cast<int64_t>(i / 3), 3));
    EXPECT_EQ(call.draw.level_bin, 4);
    EXPECT_EQ(call.draw.progress, 0.25);
    patterns.insert(call.draw.pattern);
    levels.insert(call.draw.level);
  }
  EXPECT_EQ(patterns.size(), 18u);
  EXPECT_EQ(levels.size(), 18u);
  const NoiseView again = measure_noise(source, ids, plan, Seed(9), 0.25);
  EXPECT_EQ(again.at("all").signal.value, view.at("all").signal.value);
  EXPECT_EQ(again.at("all").snr_per_example.high, view.at("all").snr_per_example.high);
}

TEST(NoiseView, ImpossiblePlansAreRefused) {
  GaussianSource source = gaussian(10, 1, 1);
  const auto run = [&](const NoisePlan& plan, int64_t count) {
    measure_noise(source, consecutive(0, count), plan, Seed(1), 0);
  };
  EXPECT_THROW(run({.units = 4, .examples_per_unit = 1, .draws = 2}, 4), Error);
  EXPECT_THROW(run({.units = 8, .examples_per_unit = 1, .draws = 0}, 8), Error);
  EXPECT_THROW(run({.units = 8, .examples_per_unit = 2, .draws = 2}, 15), Error);
  NoisePlan population{.units = 8, .examples_per_unit = 2, .draws = 2};
  population.exhaustive = true;
  EXPECT_THROW(run(population, 16), Error);
}

}  // namespace
}  // namespace assay
