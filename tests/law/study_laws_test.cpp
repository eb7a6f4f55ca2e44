// The laws of a study: which numbers of its trials they are fitted to, and how they are compared.
#include "assay/law/study/study_laws.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/core/error.h"
#include "law/study_fixture.h"

namespace assay {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<double> kLaw = deficit_law(4, 0.4, 0.5);

LawRequest quick() {
  LawRequest request;
  request.intervals.resamples = 400;
  return request;
}

const StudyOutcome& deficit(const std::vector<StudyOutcome>& outcomes) { return outcomes.front(); }

TEST(StudyOutcomes, LastAveragedMeasurementOfEachTrialAtItsTrunksSize) {
  const StudyFolder study = planted_study({{"mae", kLaw}, {"jepa/ratio=0.5", kLaw, 0.005, true}});
  const std::vector<StudyOutcome> outcomes = study_outcomes(study);
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(deficit(outcomes).name, "bit deficit");
  EXPECT_EQ(deficit(outcomes).readout, "attentive");
  EXPECT_TRUE(deficit(outcomes).comparable);
  ASSERT_EQ(deficit(outcomes).rows.size(), 40u);
  const Observation& row = deficit(outcomes).rows.front();
  EXPECT_EQ(row.model_size, 3e4);
  EXPECT_EQ(row.data_size, 3000);
  EXPECT_EQ(row.unique_data, 1500);
  EXPECT_EQ(row.compute, 6 * 3e4 * 3000);
  EXPECT_EQ(row.group, "mae");
  EXPECT_EQ(deficit(outcomes).rows.back().group, "jepa/ratio=0.5");
  EXPECT_THAT(deficit(outcomes).warnings, IsEmpty());
  // Neither live weights nor a band, and of the last step.
  EXPECT_FALSE(outcomes[1].comparable);
  EXPECT_NEAR(outcomes[1].rows.front().loss, 2 * row.loss, 1e-9);
  EXPECT_LT(row.loss, 20);
  EXPECT_THAT(outcomes[1].warnings, ElementsAre(HasSubstr("jepa/ratio=0.5 moves")));
}

TEST(StudyOutcomes, TrialsThatDidNotCompleteCountForWhatTheyAre) {
  StudyFolder study = planted_study({{"mae", kLaw}});
  study.trials[0].status = "diverged";
  study.trials[1].status = "timed_out";  // at step 50 of 100
  std::erase_if(study.trials[1].measurements, [](const Measurement& m) { return m.step == 100; });
  study.trials[2].status = "failed";
  study.trials[2].measurements.clear();
  study.trials[3].in_study = false;
  for (Measurement& m : study.trials[4].measurements) m.value = -0.1;
  const StudyOutcome outcome = study_outcomes(study).front();
  ASSERT_EQ(outcome.rows.size(), 17u);
  EXPECT_EQ(outcome.rows[0].status, ObservationStatus::diverged);
  EXPECT_EQ(outcome.rows[1].status, ObservationStatus::upper_bound);
  EXPECT_EQ(outcome.rows[1].data_size, std::round(0.5 * double(study.trials[1].ledger->examples)));
  EXPECT_EQ(outcome.rows[1].loss, 99);
  EXPECT_EQ(outcome.rows[2].status, ObservationStatus::measured);
  EXPECT_THAT(outcome.warnings, ElementsAre(HasSubstr("1 of 20 trials did not complete"),
                                            HasSubstr("1 of 20 trials diverged"),
                                            HasSubstr("1 of 20 trials have no measurement"),
                                            HasSubstr(study.trials[4].name)));
}

// A trial stopped, or copied, between its meters and its ledger.
TEST(StudyOutcomes, TrialsWithoutALedgerAreLeftOut) {
  StudyFolder study = planted_study({{"mae", kLaw}});
  study.trials[5].ledger.reset();
  study.trials[5].status = "running";
  const StudyOutcome outcome = study_outcomes(study).front();
  EXPECT_EQ(outcome.rows.size(), 19u);
  EXPECT_THAT(outcome.warnings, ElementsAre(HasSubstr("no ledger yet")));
}

TEST(StudyOutcomes, CheckpointsAreRowsOfTheirTrial) {
  StudyFolder study = planted_study({{"mae", kLaw}});
  study.trials[1].status = "timed_out";
  study.trials[2].status = "diverged";
  const StudyOutcome outcome = study_outcomes(study, "all", StudyRows::checkpoints).front();
  ASSERT_EQ(outcome.rows.size(), 39u);  // steps 50 and 100 of each, one row of the diverged
  EXPECT_EQ(outcome.rows[0].run, outcome.rows[1].run);
  EXPECT_EQ(outcome.rows[0].data_size, std::round(0.5 * outcome.rows[1].data_size));
  EXPECT_EQ(outcome.rows[0].loss, 99);
  // Only the last of a trial that was stopped is a bound: it passed the others.
  EXPECT_EQ(outcome.rows[2].status, ObservationStatus::measured);
  EXPECT_EQ(outcome.rows[3].status, ObservationStatus::upper_bound);
  EXPECT_EQ(outcome.rows[4].status, ObservationStatus::diverged);
  EXPECT_THAT(outcome.warnings, Contains(HasSubstr("19 rows are checkpoints before the end")));
}

TEST(StudyOutcomes, FoldersThatDoNotTellTheTrunkApartSaySo) {
  StudyFolder study = planted_study({{"mae", kLaw}});
  study.trials[7].trunk_parameters = 0;
  const StudyOutcome outcome = study_outcomes(study).front();
  EXPECT_EQ(outcome.rows.front().model_size, 6e4);
  EXPECT_THAT(outcome.warnings, ElementsAre(HasSubstr("counts heads too")));
}

TEST(StudyOutcomes, WhatWasNotMeasuredIsRefused) {
  StudyFolder study = planted_study({{"mae", kLaw}});
  const auto code = [&](const std::string& factor) -> std::string {
    try {
      study_outcomes(study, factor);
    } catch (const Error& error) {
      return error.code();
    }
    return "";
  };
  EXPECT_EQ(code("hues"), "usage.factor");
  for (TrialFolder& trial : study.trials)
    std::erase_if(trial.measurements, [](const Measurement& m) { return m.step > 0; });
  EXPECT_EQ(code("all"), "law.no_outcome");
}

// Planted: alpha .4 and .7, everything else alike, noise .005. The design's detectable difference
// is far below .3, so the pair must be told apart; the twin of the first must not be.
TEST(StudyLaws, DifferencesAreFoundWhereTheyArePlanted) {
  const StudyFolder study = planted_study(
      {{"a", kLaw, 0.002}, {"twin", kLaw, 0.002}, {"steep", deficit_law(4, 0.7, 0.5), 0.002}});
  const std::vector<OutcomeLaws> all = fit_study_laws(study, "all", quick());
  ASSERT_EQ(all.size(), 2u);
  const OutcomeLaws& deficits = all.front();
  ASSERT_EQ(deficits.laws.size(), 3u);
  for (const FittedLaw& law : deficits.laws) {
    EXPECT_TRUE(law.identifiable()) << law.group;
    EXPECT_EQ(law.fit.scale.source, "replicates") << law.group;
  }
  ASSERT_EQ(deficits.differences.size(),
            18u);  // E, alpha, beta, loss_exponent, 2 slopes of 3 pairs
  const auto found = [&](const std::string& second, const std::string& quantity) {
    for (const LawDifference& one : deficits.differences)
      if (one.first == "a" && one.second == second && one.quantity == quantity) return one;
    throw std::runtime_error("no difference");
  };
  EXPECT_TRUE(found("steep", "alpha").distinguished);
  EXPECT_LT(found("steep", "alpha").detectable, 0.3);
  EXPECT_NEAR(found("steep", "alpha").value, -0.3, 0.15);
  for (const char* quantity : {"E", "alpha", "beta", "loss_exponent", "slope of N", "slope of D"})
    EXPECT_FALSE(found("twin", quantity).distinguished) << quantity;
  // Independent errors: the variance of a difference is the sum of variances.
  const double expected = std::hypot(deficits.laws[0].resamples->standard_error(3),
                                     deficits.laws[2].resamples->standard_error(3));
  EXPECT_NEAR(found("steep", "alpha").standard_error / expected, 1, 0.1);
  // Own losses are different things.
  EXPECT_THAT(all[1].differences, IsEmpty());
}

TEST(StudyLaws, OneFormForAllObjectivesAndJsonOfEveryRow) {
  const StudyFolder study = planted_study({{"mae", kLaw}, {"denoise", kLaw}});
  const std::vector<OutcomeLaws> all = fit_study_laws(study, "all", quick());
  const nlohmann::json json = to_json(all.front());
  ASSERT_EQ(json.at("laws").size(), 2u);
  for (const nlohmann::json& law : json.at("laws")) {
    EXPECT_EQ(law.at("form"), "chinchilla");
    ASSERT_EQ(law.at("rows").size(), 20u);
    for (const nlohmann::json& row : law.at("rows"))
      EXPECT_NEAR(row.at("loss").get<double>() / row.at("fitted").get<double>(), 1, 0.05);
  }
}

// One size, one budget: there is no law to fit.
TEST(StudyLaws, StudiesThatVaryNothingAreRefused) {
  StudyFolder study = planted_study({{"mae", kLaw}});
  study.trials.resize(1);
  try {
    fit_study_laws(study, "all", quick());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "law.form");
  }
}

}  // namespace
}  // namespace assay
