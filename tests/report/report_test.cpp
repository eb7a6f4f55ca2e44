// The report against a study with planted numbers.
#include "assay/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>

#include "assay/core/error.h"
#include "report/synthetic_study.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using synthetic::Key;
using testing::HasSubstr;
using testing::Not;

class Report : public testing::Test {
 protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) / "report" /
             testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder);
  }
  void TearDown() override { fs::remove_all(folder); }

  fs::path folder;
};

const json& find(const json& list, const std::string& key, const std::string& value) {
  for (const json& item : list)
    if (item.at(key) == value) return item;
  throw std::runtime_error("no " + value);
}

const json& figure(const json& report, const std::string& id) {
  return find(report.at("figures"), "id", id);
}

/// Mean, number of values, sample variance over completed seeds; written apart from the report's
/// code.
struct Expected {
  double mean = 0, variance = 0;
  int count = 0;
};
Expected over_completed(const std::string& objective, int width,
                        const std::function<double(const Key&)>& value) {
  std::vector<double> values;
  for (const int seed : synthetic::kSeeds) {
    const Key key{objective, width, seed};
    if (synthetic::planted_status(key) == "completed") values.push_back(value(key));
  }
  Expected expected{.count = static_cast<int>(values.size())};
  for (const double v : values) expected.mean += v / expected.count;
  for (const double v : values)
    if (expected.count > 1)
      expected.variance += std::pow(v - expected.mean, 2) / (expected.count - 1);
  return expected;
}

/// Two seeds: mean ± t(.975, 1) s/√2, with t(.975, 1) = tan(.475 π) = 12.7062047, but at least what
/// the meters' own intervals make of a mean of two. One: the meter's own.
void expect_marks(const json& panel, const std::string& objective, int width, double meter_half,
                  const std::function<double(const Key&, double)>& value) {
  const json& marks = find(panel.at("series"), "label", objective).at("marks");
  ASSERT_EQ(marks.size(), synthetic::kFractions.size());
  for (size_t i = 0; i < marks.size(); ++i) {
    const double fraction = synthetic::kFractions[i];
    const Expected expected =
        over_completed(objective, width, [&](const Key& key) { return value(key, fraction); });
    EXPECT_NEAR(marks[i].at("value"), expected.mean, 1e-12);
    EXPECT_EQ(marks[i].at("seeds"), expected.count);
    EXPECT_NEAR(marks[i].at("x"), fraction * synthetic::kBudget, 1);
    const double half =
        expected.count == 2
            ? std::max(12.706204736 * std::sqrt(expected.variance / 2), meter_half / std::sqrt(2.0))
            : meter_half;
    EXPECT_EQ(marks[i].at("interval"), expected.count == 2 ? "seeds" : "meter");
    EXPECT_NEAR(marks[i].at("high").get<double>() - expected.mean, half, 1e-8);
    EXPECT_NEAR(expected.mean - marks[i].at("low").get<double>(), half, 1e-8);
  }
}

TEST_F(Report, OutcomeIsTheMeanOverCompletedSeeds) {
  synthetic::write_study(folder);
  const json report = report_json(folder);
  for (const std::string readout : {"linear", "attentive"})
    for (const int width : synthetic::kWidths) {
      const json& panel = find(figure(report, "outcome").at("panels"), "title",
                               fmt::format("{} read-out, width {}", readout, width));
      for (const std::string& objective : synthetic::kObjectives)
        expect_marks(panel, objective, width, .15, [&](const Key& key, double fraction) {
          return synthetic::planted_bits(key, fraction, readout, "all", "trained");
        });
    }
}

TEST_F(Report, LossIsTheWholeTermNotItsCells) {
  synthetic::write_study(folder);
  const json report = report_json(folder);
  for (const std::string& objective : synthetic::kObjectives) {
    const json& panel = find(figure(report, "loss").at("panels"), "title", objective);
    const json& marks = find(panel.at("series"), "label", "width 64").at("marks");
    const Expected expected = over_completed(
        objective, 64, [](const Key& key) { return synthetic::planted_loss(key, .4); });
    EXPECT_NEAR(marks.at(4).at("value"), expected.mean, 1e-12);
  }
}

TEST_F(Report, AveragedAndLiveSnrStandApartAndKeepNegativeValues) {
  synthetic::write_study(folder);
  const json report = report_json(folder);
  bool negative = false;
  for (const std::string weights : {"averaged", "live"}) {
    const json& panel =
        find(figure(report, "snr").at("panels"), "title", weights + " weights, width 128");
    EXPECT_TRUE(panel.at("symlog"));
    for (const std::string& objective : synthetic::kObjectives) {
      const json& marks = find(panel.at("series"), "label", objective).at("marks");
      const Expected expected = over_completed(
          objective, 128, [&](const Key& key) { return synthetic::planted_snr(key, 1, weights); });
      EXPECT_NEAR(marks.at(5).at("value"), expected.mean, 1e-12);
      negative = negative || expected.mean < 0;
    }
  }
  EXPECT_TRUE(negative) << "the planted numbers no longer test this";
}

// The whole term on its own, then by level where there are levels; regularisers are in neither.
TEST_F(Report, DemandIsByTermAndByLevel) {
  synthetic::write_study(folder);
  const json report = report_json(folder);
  const json& whole = find(figure(report, "demand").at("panels"), "title", "width 64");
  EXPECT_EQ(whole.at("series").size(), synthetic::kObjectives.size());
  for (const std::string& objective : synthetic::kObjectives)
    expect_marks(whole, objective, 64, .01, [](const Key& key, double fraction) {
      return synthetic::planted_target_snr(key, fraction);
    });
  const json& levels = figure(report, "demand_levels").at("panels");
  ASSERT_EQ(levels.size(), 8u);
  for (int level = 0; level < 8; ++level) {
    const json& series = levels.at(static_cast<size_t>(level)).at("series");
    ASSERT_EQ(series.size(), 1u);
    EXPECT_EQ(series.at(0).at("label"), "denoise");
    const Expected expected = over_completed("denoise", 128, [&](const Key& key) {
      return synthetic::planted_target_snr(key, 1, level);
    });
    EXPECT_NEAR(series.at(0).at("marks").at(5).at("value"), expected.mean, 1e-12);
  }
  const json& rows = find(report.at("tables"), "id", "demand-table").at("rows");
  EXPECT_EQ(rows.size(), 2 * synthetic::kObjectives.size()) << "a row a term and size";
  for (const json& row : rows) EXPECT_NEAR(row.at(6).at("value"), .7, 1e-9) << "the trunk's share";
}

// Rates of branches: below 0 where they are, and never those of another objective's branches.
TEST_F(Report, DriveIsThatOfTheTrialsOwnObjective) {
  synthetic::write_study(folder);
  const json report = report_json(folder);
  for (const std::string factor : {"all", "content", "position"}) {
    const json& panel = find(figure(report, "drive").at("panels"), "title",
                             fmt::format("{} factors, width 64", factor));
    for (const std::string& objective : synthetic::kObjectives)
      expect_marks(panel, objective, 64, .02, [&](const Key& key, double fraction) {
        return synthetic::planted_rate(key, fraction, factor);
      });
  }
  const json& bars = figure(report, "drive_factors").at("panels").at(0);
  EXPECT_EQ(bars.at("categories"), (json{"hue", "shape"}));
}

TEST_F(Report, TrialsThatDidNotCompleteAreShownAndNotAveraged) {
  synthetic::write_study(folder);
  const json report = report_json(folder);
  std::map<std::string, int> statuses;
  for (const json& trial : report.at("trials")) ++statuses[trial.at("status")];
  EXPECT_EQ(statuses, (std::map<std::string, int>{
                          {"completed", 9}, {"diverged", 1}, {"failed", 1}, {"missing", 1}}));
  EXPECT_THAT(report.at("verdict").at("sentences").at(0).get<std::string>(), HasSubstr("9 of 12"));
  const std::string limits = report.at("limits").dump();
  EXPECT_THAT(limits, HasSubstr("loss is NaN at step 241"));
  EXPECT_THAT(limits, HasSubstr("out of memory"));
  EXPECT_THAT(limits, HasSubstr("3 entries were skipped"));
  EXPECT_THAT(limits, HasSubstr("Effective dimension"));

  // The diverged seed's early points are there, marked.
  const json& panel =
      find(figure(report, "snr").at("panels"), "title", "averaged weights, width 128");
  const json& start = find(panel.at("series"), "label", "denoise").at("marks").at(0);
  ASSERT_EQ(start.at("replicates").size(), 2u);
  EXPECT_FALSE(start.at("replicates").at(1).at("counts"));
  EXPECT_EQ(start.at("seeds"), 1);
}

TEST_F(Report, VerdictRanksNothingThatIncludesZero) {
  synthetic::write_study(folder);
  const std::string verdict = report_json(folder).at("verdict").dump();
  EXPECT_THAT(verdict, HasSubstr("denoise: not learned at this budget"));
  EXPECT_THAT(verdict, HasSubstr("mae gains"));
  EXPECT_THAT(verdict, HasSubstr("one seed"));
}

TEST_F(Report, MissingValuesCarryTheirReason) {
  synthetic::write_study(folder);
  const json report = report_json(folder);
  const json& panel = find(figure(report, "band").at("panels"), "title", "width 64");
  const json& mark =
      find(find(panel.at("series"), "label", "denoise").at("marks"), "x", "octave 3");
  EXPECT_TRUE(mark.at("value").is_null());
  EXPECT_EQ(mark.at("note"), "no target falls in this band");
  EXPECT_THAT(report_html(folder), HasSubstr("no target falls in this band"));
}

// A collapse is said once per trial, by name, as the last note has it.
TEST_F(Report, CollapsedTrialsAreNamed) {
  synthetic::write_study(folder);
  EXPECT_THAT(report_json(folder).at("limits").dump(), Not(HasSubstr("collapsed")));
  const fs::path trial = fs::directory_iterator(folder / "trials")->path();
  std::ofstream records(trial / "records.jsonl", std::ios::app);
  for (const char* share : {"40%", "100%"})
    records << json{{"kind", "note"},
                    {"step", 9},
                    {"text", std::string("collapse: features are a constant at ") + share}}
                   .dump()
            << '\n';
  records.close();
  const std::string limits = report_json(folder).at("limits").dump();
  EXPECT_THAT(limits, HasSubstr("has collapsed: features are a constant at 100%."));
  EXPECT_THAT(limits, Not(HasSubstr("40%")));
}

TEST_F(Report, SameFolderSameBytes) {
  synthetic::write_study(folder);
  const std::string first = report_html(folder);
  EXPECT_EQ(first, report_html(folder));
  const fs::path copy = folder.string() + "-elsewhere";
  fs::remove_all(copy);
  fs::copy(folder, copy, fs::copy_options::recursive);
  EXPECT_EQ(first, report_html(copy));
  fs::remove_all(copy);
}

TEST_F(Report, HostileNamesStayText) {
  const std::string suffix = "</script><script>alert(1)</script> \"quoted\" 'single' & <b>";
  synthetic::write_study(folder, suffix);
  const std::string html = report_html(folder);
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(
      html,
      HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt; &quot;quoted&quot; &#39;single&#39; &amp;"));
  const std::string open = "<script type=\"application/json\" id=\"assay-data\">";
  const size_t begin = html.find(open) + open.size();
  const json embedded = json::parse(html.substr(begin, html.find("</script>", begin) - begin));
  EXPECT_EQ(embedded, report_json(folder));
  EXPECT_EQ(embedded.at("study").at("objectives").at(0), "token" + suffix);
}

TEST_F(Report, StudyWithoutATrialSaysSo) {
  synthetic::write_study(folder, "", false);
  const json report = report_json(folder);
  EXPECT_TRUE(report.at("figures").empty());
  EXPECT_THAT(report.at("verdict").dump(), HasSubstr("no answer"));
  EXPECT_THAT(report.at("verdict").dump(), HasSubstr("12 missing"));
  EXPECT_THAT(report_html(folder), HasSubstr("0 of 12 trials completed"));
}

TEST_F(Report, TornRecordsAreLeftOutAndSaid) {
  synthetic::write_study(folder);
  const json whole = report_json(folder);
  const Key key{"mae", 128, 0};
  std::ofstream(folder / "trials" / synthetic::trial_id(key) / "records.jsonl", std::ios::app)
      << R"({"kind":"measurement","meter":"pro)";
  const json torn = report_json(folder);
  EXPECT_EQ(torn.at("figures"), whole.at("figures"));
  EXPECT_THAT(torn.at("limits").dump(), HasSubstr("the last line is incomplete"));
}

TEST_F(Report, AFolderWithoutAStudyIsAnError) {
  fs::create_directories(folder);
  try {
    report_html(folder);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "store.read");
  }
}

}  // namespace
}  // namespace assay
