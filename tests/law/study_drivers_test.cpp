// What `assay drivers DIR` reads: which trials, which measurements, and with which errors.
#include "assay/law/drivers/study_drivers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/core/error.h"
#include "law/study_fixture.h"

namespace assay {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Measurement snr_of(const TrialFolder& trial, double fraction, double value, double half,
                   std::map<std::string, std::string> labels = {}) {
  labels.insert({{"group", "trunk"}, {"metric", "euclidean"}, {"weights", "averaged"}});
  Measurement m = trial.measurements.back();
  m.meter = "objective_snr";
  m.quantity = "snr_per_example";
  m.fraction = fraction;
  m.labels = std::move(labels);
  m.value = value;
  m.low = value - half;
  m.high = value + half;
  return m;
}

/// Two objectives; SNR .1 and .2 at the end and ten times that at .2, plus .01 for the second seed.
/// Small trials and other labels say 99.
StudyFolder study_with_snr(double half) {
  StudyFolder study =
      planted_study({{"mae", deficit_law(4, 0.4, 0.5)}, {"token", deficit_law(4, 0.4, 0.7)}});
  double most = 0;
  for (const TrialFolder& trial : study.trials) most = std::max(most, trial.ledger->training_flops);
  for (TrialFolder& trial : study.trials) {
    const bool largest = trial.ledger->training_flops == most;
    const double base = trial.name.starts_with("mae") ? .1 : .2;
    const double second = trial.name.ends_with("seed=1") ? .01 : 0;
    const auto add = [&](double fraction, double value,
                         std::map<std::string, std::string> labels = {}) {
      trial.measurements.push_back(
          snr_of(trial, fraction, largest ? value : 99, half, std::move(labels)));
    };
    add(.2, 10 * base);
    add(1, base + second);
    add(1, 99, {{"level", "0"}});
    add(1, 99, {{"weights", "live"}});
    add(1, 99, {{"group", "head"}});
    add(1, 99, {{"with", "mae, step 3"}});
  }
  return study;
}

TEST(StudyDrivers, MeansOfTheLargestTrialsWithTheirErrors) {
  const StudyDrivers found = study_drivers(study_with_snr(.00196), {});
  EXPECT_EQ(found.readout, "attentive");
  EXPECT_THAT(found.left_out, IsEmpty());
  ASSERT_EQ(found.points.size(), 2u);
  EXPECT_EQ(found.points[0].objective, "mae");
  EXPECT_NEAR(found.points[0].drivers[0], .105, 1e-12);
  EXPECT_NEAR(found.points[1].drivers[0], .205, 1e-12);
  // Two seeds .01 apart: .01/√2/√2, more than the meters' own .001/√2.
  EXPECT_NEAR(found.points[0].driver_errors[0], .005, 1e-9);
  EXPECT_NEAR(study_drivers(study_with_snr(.0196), {}).points[0].driver_errors[0],
              .01 / std::sqrt(2), 1e-6);
  EXPECT_GT(found.points[1].outcome, found.points[0].outcome) << "slope of D: a larger beta";
  EXPECT_GT(found.points[0].outcome_error, 0);
}

TEST(StudyDrivers, TheNearestFractionAndTheNamedOutcome) {
  StudyDriverColumns columns{.outcome = "deficit", .drivers = {"snr"}, .fraction = .3};
  const StudyDrivers found = study_drivers(study_with_snr(.001), columns);
  EXPECT_NEAR(found.points[0].drivers[0], 1, 1e-12);
  EXPECT_NEAR(found.points[1].drivers[0], 2, 1e-12);
  // 4 bits and what two decades of N and of D leave of 6 bits each.
  EXPECT_NEAR(found.points[0].outcome, 4 + 6 * std::pow(100, -.4) + 6 * std::pow(100, -.5), .05);
  columns.outcome = "beta";
  const StudyDrivers exponents = study_drivers(study_with_snr(.001), columns);
  ASSERT_EQ(exponents.points.size(), 2u);
  for (size_t i = 0; i < 2; ++i)
    EXPECT_NEAR(exponents.points[i].outcome, i == 0 ? .5 : .7,
                4.9 * exponents.points[i].outcome_error);
}

TEST(StudyDrivers, WhatIsMissingIsSaid) {
  StudyFolder study = study_with_snr(.001);
  for (TrialFolder& trial : study.trials)
    if (trial.name.starts_with("token"))
      std::erase_if(trial.measurements,
                    [](const Measurement& m) { return m.meter == "objective_snr"; });
  const StudyDrivers found = study_drivers(study, {});
  EXPECT_EQ(found.points.size(), 1u);
  EXPECT_THAT(found.left_out, ElementsAre("token: snr was not measured"));
  for (const StudyDriverColumns& wrong :
       {StudyDriverColumns{.outcome = "gamma"}, StudyDriverColumns{.drivers = {"loudness"}},
        StudyDriverColumns{.readout = "cubic"}}) {
    try {
      study_drivers(study, wrong);
      FAIL() << "an unknown name passed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "usage.unknown_name");
    }
  }
}

}  // namespace
}  // namespace assay
