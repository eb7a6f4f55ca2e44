// Intervals: the leave-one-out algebra against brute force, and simulated coverage.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "assay/core/error.h"
#include "assay/stats/noise_view.h"
#include "stats/sources.h"

namespace assay {
namespace {

using namespace testing;

NestedUnits nested(const std::vector<std::vector<float>>& rows, const std::vector<double>& within) {
  const int64_t m = static_cast<int64_t>(rows.size());
  const int64_t size = static_cast<int64_t>(rows[0].size());
  std::vector<float> data;
  for (const std::vector<float>& row : rows) data.insert(data.end(), row.begin(), row.end());
  const GroupLayout layout({{"all", 0, size}}, size);
  return {3, 2, centred_grams(Rows::of(data, m, size), layout, {})[0], within};
}

// The O(m²) formulas of the delete-one-unit values against estimates from m − 1 units.
TEST(Jackknife, EqualsDeletingUnitsOneByOne) {
  constexpr size_t m = 9;
  std::vector<std::vector<float>> rows;
  std::vector<double> within;
  for (size_t i = 0; i < m; ++i) {
    rows.emplace_back(30);
    normals(Seed(12), static_cast<int64_t>(i), 0, rows.back());
    for (float& x : rows.back()) x += 0.4f;
    within.push_back(1 + uniform(Seed(13), static_cast<int64_t>(i), 0));
  }
  const NoiseEstimate all = estimate_noise(nested(rows, within));
  std::array<std::vector<double>, 4> without;
  for (size_t k = 0; k < m; ++k) {
    auto fewer_rows = rows;
    auto fewer_within = within;
    fewer_rows.erase(fewer_rows.begin() + static_cast<std::ptrdiff_t>(k));
    fewer_within.erase(fewer_within.begin() + static_cast<std::ptrdiff_t>(k));
    const NoiseEstimate e = estimate_noise(nested(fewer_rows, fewer_within));
    without[0].push_back(e.trace_data.value);
    without[1].push_back(e.objective_share.value);
    without[2].push_back(e.effective_dimension.value);
    without[3].push_back(e.trace_total.value);
  }
  const auto expect_same = [&](const Estimate& fast, const std::vector<double>& slow) {
    EXPECT_NEAR(fast.standard_error, std::sqrt(jackknife_variance(slow)),
                1e-5 * fast.standard_error);
    EXPECT_EQ(fast.n, 9);
  };
  expect_same(all.trace_data, without[0]);
  expect_same(all.objective_share, without[1]);
  expect_same(all.effective_dimension, without[2]);
  expect_same(all.trace_total, without[3]);
}

struct Coverage {
  int signal = 0, snr = 0, share = 0, total = 0, snr_below = 0;
  Moments dimension;
};

struct Case {
  const char* name;
  Vector mean, data, objective;
  int64_t units, examples;
};

double trace_of(const Case& c) { return c.data.sum() + c.objective.sum(); }

Coverage simulate(const Case& c, int repetitions) {
  GaussianSource source(c.mean, c.data, c.objective);
  const NoisePlan plan{.units = c.units, .examples_per_unit = c.examples, .draws = 2};
  const int64_t count = c.units * c.examples;
  const double signal = c.mean.squaredNorm(), total = trace_of(c);
  const auto holds = [](const Estimate& e, double truth) {
    return e.low <= truth && truth <= e.high ? 1 : 0;
  };
  Coverage out;
  for (int i = 0; i < repetitions; ++i) {
    const NoiseEstimate e = measure_noise(source, consecutive(i * count, count), plan,
                                          Seed(55).child(static_cast<uint64_t>(i)), 0)
                                .at("all");
    out.signal += holds(e.signal, signal);
    out.snr += holds(e.snr_per_example, signal / total);
    out.snr_below += e.snr_per_example.high < signal / total ? 1 : 0;
    out.share += holds(e.objective_share, c.objective.sum() / total);
    out.total += holds(e.trace_total, total);
    out.dimension.add(e.effective_dimension.value);
  }
  return out;
}

// unit_snr = |G|² over the trace of one unit's covariance.
Case even_case(const char* name, Eigen::Index size, double unit_snr, int64_t units,
               int64_t examples) {
  Case c{name, {}, Vector::Ones(size), Vector::Constant(size, 0.5), units, examples};
  const double trace = 1.25 * static_cast<double>(size) / static_cast<double>(examples);
  c.mean = Vector::Constant(size, std::sqrt(unit_snr * trace / static_cast<double>(size)));
  return c;
}

// Zero and small signal, where the plain jackknife counts the degenerate part twice. Hypothesis:
// coverage of each nominal 95% interval lies in [.93, .98]; n = 2,000 simulated measurements of 32
// units, effective dimension 256. Accepted while the count's binomial tail beyond either end
// exceeds 1e-6. Power: the plain jackknife at zero signal (about .995) is found with probability
// .87, intervals a fifth too short (.883) with .99; the long form below is sharper.
TEST(Coverage, OfSignalSnrShareAndTotal) {
  for (const double unit_snr : {0.0, 0.01, 0.1}) {
    const int n = 2000;
    const Coverage c = simulate(even_case("", 256, unit_snr, 32, 1), n);
    for (const int hits : {c.signal, c.snr, c.share, c.total}) {
      EXPECT_GE(hits, 1802) << unit_snr;
      EXPECT_LE(hits, 1986) << unit_snr;
    }
    EXPECT_LT(std::abs(z_score(c.dimension, 256)), 30) << unit_snr;  // a ratio: slightly biased
    EXPECT_NEAR(c.dimension.mean(), 256, 40) << unit_snr;
  }
}

// The long form: prints its figures; asserts coverage where the interval is claimed to hold, and
// shows where it fails (small effective dimension) without asserting.
TEST(Validate, CoverageOfTheNoiseIntervals) {
  if (std::getenv("ASSAY_VALIDATE") == nullptr) GTEST_SKIP() << "set ASSAY_VALIDATE=1";
  std::vector<Case> cases = {
      even_case("zero signal, dimension 256", 256, 0, 64, 1),
      even_case("unit SNR .01, dimension 256", 256, 0.01, 64, 1),
      even_case("unit SNR .1, dimension 256", 256, 0.1, 64, 1),
      even_case("unit SNR 1, dimension 256", 256, 1, 64, 1),
      even_case("unit SNR .1, dimension 256, 16 units of 2", 256, 0.1, 16, 2),
  };
  Case skewed = even_case("unit SNR .1, dimension about 2.5", 16, 0.1, 64, 1);
  for (Eigen::Index i = 0; i < 16; ++i) {
    skewed.data[i] = skewed.objective[i] = std::pow(0.43, static_cast<double>(i));
  }
  skewed.mean = Vector::Zero(16);
  skewed.mean[0] = std::sqrt(0.1 * 1.5 * skewed.data.sum());
  constexpr int n = 10'000;
  std::printf("%-44s %7s %7s %7s %7s %10s\n", "95% coverage, n = 10,000", "|G|^2", "SNR", "share",
              "trace", "dimension");
  const auto print = [](const Case& c, const Coverage& found) {
    const auto rate = [](int hits) { return static_cast<double>(hits) / n; };
    std::printf("%-44s %7.4f %7.4f %7.4f %7.4f %10.1f\n", c.name, rate(found.signal),
                rate(found.snr), rate(found.share), rate(found.total), found.dimension.mean());
  };
  for (const Case& c : cases) {
    const Coverage found = simulate(c, n);
    print(c, found);
    // Claimed range [.93, .985], binomial acceptance at 1e-6: [.9175, .9904].
    for (const int hits : {found.signal, found.snr, found.share, found.total}) {
      EXPECT_GE(hits, 9175) << c.name;
      EXPECT_LE(hits, 9904) << c.name;
    }
  }
  print(skewed, simulate(skewed, n));
}

}  // namespace
}  // namespace assay
