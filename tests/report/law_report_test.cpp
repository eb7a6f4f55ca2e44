// Scaling laws in the report: against a study whose trials lie on planted laws.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/report/report.h"
#include "law/study_fixture.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

void write_study(const fs::path& folder, const StudyFolder& study) {
  json trials = json::array();
  for (const TrialFolder& trial : study.trials) {
    const std::string id = trial.id;
    trials.push_back({{"id", id},
                      {"name", trial.name},
                      {"config", *trial.config},
                      {"steps", 100},
                      {"flops", trial.ledger->training_flops},
                      {"parameters", trial.parameters},
                      {"trunk_parameters", trial.trunk_parameters}});
    const fs::path at = folder / "trials" / id;
    fs::create_directories(at);
    write_atomically(at / "config.json", trial.config->dump());
    std::string records;
    for (const Measurement& m : trial.measurements) records += to_json(m).dump() + "\n";
    records += to_json(*trial.ledger).dump() + "\n";
    write_atomically(at / "records.jsonl", records);
    write_atomically(at / "outcome.json",
                     json{{"status", trial.status}, {"reason", ""}, {"step", 100}}.dump());
  }
  write_atomically(folder / "study.json", json{{"format", 1},
                                               {"name", "planted"},
                                               {"question", "?"},
                                               {"base", "."},
                                               {"toml", ""},
                                               {"set", json::array()},
                                               {"trials", trials},
                                               {"warnings", json::array()}}
                                              .dump());
}

class LawReport : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = fs::path(::testing::TempDir()) / "law_report" /
             ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder);
  }
  void TearDown() override { fs::remove_all(folder); }

  json report(const StudyFolder& study) {
    StudyFolder named = study;
    for (TrialFolder& trial : named.trials) std::ranges::replace(trial.id, '/', '-');
    write_study(folder, named);
    return report_json(folder);
  }

  fs::path folder;
};

const json& named(const json& list, const std::string& id) {
  for (const json& item : list)
    if (item.at("id") == id) return item;
  throw std::runtime_error("no " + id);
}

TEST_F(LawReport, ShowsLawsAtEverySizeWithFloorAndExtrapolation) {
  const json found =
      report(testing::planted_study({{"mae", testing::deficit_law(4, 0.4, 0.5), 0.002},
                                     {"token", testing::deficit_law(0, 0.4, 0.5), 0.002}}));
  const auto& figure = named(found.at("figures"), "law");
  ASSERT_EQ(figure.at("panels").size(), 2u);
  EXPECT_THAT(figure.at("title"), HasSubstr("floor that scale does not remove: mae ("));
  std::map<std::string, int> drawn;
  for (const auto& series : figure.at("panels")[0].at("series")) ++drawn[series.at("drawn")];
  EXPECT_EQ(drawn, (std::map<std::string, int>{
                       {"points", 4}, {"curve", 4}, {"extrapolated", 4}, {"floor", 1}}));
  // The dashed part begins where trials end, and goes ten times further in data.
  const auto& beyond = figure.at("panels")[0].at("series")[2];
  ASSERT_EQ(beyond.at("drawn"), "extrapolated");
  const double from = beyond.at("marks").front().at("x"), to = beyond.at("marks").back().at("x");
  EXPECT_NEAR(to / from, 10, 1e-6);
  EXPECT_NEAR(from, 6 * 3e4 * 3e5, 1);
  for (const auto& mark : beyond.at("marks")) {
    EXPECT_LT(mark.at("low"), mark.at("value"));
    EXPECT_GT(mark.at("high"), mark.at("value"));
  }
  const auto& laws = named(found.at("tables"), "laws");
  ASSERT_EQ(laws.at("rows").size(), 4u);  // two outcomes of two objectives
  EXPECT_NEAR(laws.at("rows")[0][3].at("value").get<double>(), 4, 0.8);    // E
  EXPECT_NEAR(laws.at("rows")[0][4].at("value").get<double>(), 0.4, 0.1);  // alpha
  EXPECT_EQ(named(found.at("figures"), "law_residuals").at("panels").size(), 2u);
  EXPECT_EQ(named(found.at("figures"), "law_holdout").at("panels").size(), 2u);
  EXPECT_THAT(report_html(folder), HasSubstr("id=\"figure-law\""));
  EXPECT_THAT(report_html(folder), HasSubstr("id=\"figure-allocation\""));
}

// The trials have C = 6 N D, A = 6 (3e4)^.4, B = 6 (3e3)^.5: N* ∝ C^(5/9), and N* D* 6 = C
// everywhere.
TEST_F(LawReport, DividesComputeAsItsLawsWould) {
  const json found =
      report(testing::planted_study({{"mae", testing::deficit_law(4, 0.4, 0.5), 0.002}}));
  const auto& figure = named(found.at("figures"), "allocation");
  ASSERT_EQ(figure.at("panels").size(), 2u);
  EXPECT_THAT(figure.at("title"), HasSubstr("mae 0.5"));
  const auto& sizes = figure.at("panels")[0].at("series");
  const auto& data = figure.at("panels")[1].at("series");
  ASSERT_EQ(sizes.size(), 2u);  // within, and beyond
  for (size_t i = 0; i < 2; ++i)
    for (size_t k = 0; k < sizes[i].at("marks").size(); ++k) {
      const auto &n = sizes[i].at("marks")[k], &d = data[i].at("marks")[k];
      EXPECT_NEAR(
          6 * n.at("value").get<double>() * d.at("value").get<double>() / n.at("x").get<double>(),
          1, 1e-9);
      EXPECT_LT(n.at("low"), n.at("value"));
      EXPECT_GT(n.at("high"), n.at("value"));
    }
  const auto& within = sizes[0].at("marks");
  const double rise =
      std::log(within.back().at("value").get<double>() / within.front().at("value").get<double>()) /
      std::log(within.back().at("x").get<double>() / within.front().at("x").get<double>());
  EXPECT_NEAR(rise, 5.0 / 9, 0.05);
}

// Noise of 30%: no exponent can be told, and no mark claims one; slopes in range are. Nor is
// anything drawn beyond the trials.
TEST_F(LawReport, ExponentsThatAreNotIdentifiedHaveNoMark) {
  StudyFolder study = testing::planted_study({{"mae", testing::deficit_law(4, 0.4, 0.5), 0.3}});
  const json found = report(study);
  const auto& panels = named(found.at("figures"), "exponents").at("panels");
  ASSERT_EQ(panels.size(), 2u);  // the slopes alone
  for (const auto& panel : panels) {
    EXPECT_THAT(panel.at("title"), HasSubstr("in range"));
    for (const auto& series : panel.at("series"))
      for (const auto& mark : series.at("marks")) EXPECT_FALSE(mark.at("value").is_null());
  }
  EXPECT_THAT(named(found.at("figures"), "law").at("title"), HasSubstr("Not told by these trials"));
  EXPECT_THAT(named(found.at("tables"), "laws").at("rows")[0].back().at("text"),
              HasSubstr("not determined"));
  for (const auto& series : named(found.at("figures"), "law").at("panels")[0].at("series"))
    EXPECT_NE(series.at("drawn"), "extrapolated");
}

TEST_F(LawReport, TrialsThatDidNotCompleteAreMarkedAndSaid) {
  StudyFolder study = testing::planted_study({{"mae", testing::deficit_law(4, 0.4, 0.5), 0.002}});
  study.trials[3].status = study.trials[7].status = "timed_out";
  const json found = report(study);
  int bounds = 0;
  for (const auto& series : named(found.at("figures"), "law").at("panels")[0].at("series"))
    if (series.at("drawn") == "bounds") bounds += static_cast<int>(series.at("marks").size());
  EXPECT_EQ(bounds, 2);
  EXPECT_THAT(found.at("limits").dump(), HasSubstr("2 of 20 trials did not complete"));
  EXPECT_EQ(named(found.at("figures"), "law_residuals")
                .at("panels")[0]
                .at("series")[0]
                .at("marks")
                .size(),
            18u);
}

// Curves of four budgets in one panel would be sixteen lines: only the largest is drawn, and said
// so.
TEST_F(LawReport, OtherFiguresShowTheLargestBudgetAlone) {
  const json found = report(testing::planted_study({{"mae", testing::deficit_law(4, 0.4, 0.5)}}));
  for (const auto& panel : named(found.at("figures"), "loss").at("panels"))
    EXPECT_EQ(panel.at("series").size(), 4u);  // one a size
  EXPECT_EQ(named(found.at("tables"), "card").at("rows").size(), 16u);
  const std::string sentences = found.at("verdict").at("sentences").dump();
  EXPECT_THAT(sentences, HasSubstr("ten times the data take off"));
  EXPECT_THAT(sentences, HasSubstr("largest budget of each objective"));
}

TEST_F(LawReport, StudiesWithoutALawHaveNoSection) {
  StudyFolder study = testing::planted_study({{"mae", testing::deficit_law(4, 0.4, 0.5)}});
  study.trials.resize(2);
  report(study);
  EXPECT_THAT(report_html(folder), Not(HasSubstr("Scaling laws")));
}

}  // namespace
}  // namespace assay
