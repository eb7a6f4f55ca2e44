// How levels, bands and layers stand to the whole, from planted records.
#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "assay/core/error.h"
#include "assay/report/report.h"
#include "report/synthetic_study.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class ReportParts : public testing::Test {
 protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) / "report_parts" /
             testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder);
    synthetic::write_study(folder);
    report = report_json(folder);
  }
  void TearDown() override { fs::remove_all(folder); }
  const json& item(const char* list, const std::string& id) const {
    for (const json& one : report.at(list))
      if (one.at("id") == id) return one;
    throw std::runtime_error("no " + id);
  }

  fs::path folder;
  json report;
};

// Levels and bands with the whole, each on axes of its own; level 7 was planted with another level
// only, and must not be drawn.
TEST_F(ReportParts, AlignmentWithTheWhole) {
  const json& panels = item("figures", "alignment").at("panels");
  ASSERT_EQ(panels.size(), 4u);  // two sizes by level, then by band
  const json& levels = panels.at(0).at("series");
  ASSERT_EQ(levels.size(), 1u);
  EXPECT_EQ(levels.at(0).at("label"), "denoise");
  ASSERT_EQ(levels.at(0).at("marks").size(), 7u);
  for (int level = 0; level < 7; ++level)
    EXPECT_NEAR(levels.at(0).at("marks").at(static_cast<size_t>(level)).at("value"),
                synthetic::planted_alignment(level), 1e-12);
  const json& bands = panels.at(2).at("series");
  ASSERT_EQ(bands.size(), 1u);
  EXPECT_NEAR(bands.at(0).at("marks").at(0).at("value"), -.25, 1e-12);
}

TEST_F(ReportParts, LayersByLevelAreATableOfTheLargestModel) {
  const json& table = item("tables", "layer-level");
  ASSERT_EQ(table.at("rows").size(), 1u);
  const json& row = table.at("rows").at(0);
  ASSERT_EQ(row.size(), 10u);
  EXPECT_EQ(row.at(1).at("text"), "layer.1");
  EXPECT_NEAR(row.at(2 + 7).at("value"), .07, 1e-12);
}

TEST_F(ReportParts, MetricsStandBesideEachOther) {
  const json& panels = item("figures", "metric").at("panels");
  for (const json& panel : panels) {
    EXPECT_EQ(panel.at("categories"), json({"euclidean", "adam", "function"}));
    for (const json& series : panel.at("series")) {
      if (series.at("label") != "mae") {
        EXPECT_EQ(series.at("marks").size(), 1u) << series.at("label");
        continue;
      }
      ASSERT_EQ(series.at("marks").size(), 3u);
      EXPECT_NEAR(series.at("marks").at(1).at("value"), .25, 1e-12);
      EXPECT_NEAR(series.at("marks").at(2).at("value"), .5, 1e-12);
    }
  }
}

TEST_F(ReportParts, PairedDifferencesSayWhichIsHigher) {
  const json& table = item("tables", "noise-differences");
  ASSERT_GT(table.at("rows").size(), 0u);
  for (const json& row : table.at("rows")) {
    EXPECT_EQ(row.at(2).at("text"), "denoise");
    EXPECT_EQ(row.at(4).at("text"), "SNR per example");
    EXPECT_NEAR(row.at(5).at("value"), -.004, 1e-12);
    EXPECT_EQ(row.at(6).at("text"), "second is higher");
  }
}

// Only a study that split the objective's variance has the column.
TEST_F(ReportParts, ShareOfLevels) {
  const json& table = item("tables", "variance");
  const auto& columns = table.at("columns");
  ASSERT_EQ(columns.at(columns.size() - 2), "share of levels");
  int found = 0;
  for (const json& row : table.at("rows")) {
    const json& share = row.at(row.size() - 2);
    if (share.at("value").is_null()) continue;
    EXPECT_NEAR(share.at("value"), .6, 1e-12);
    ++found;
  }
  EXPECT_GT(found, 0);
}

// The darkest cell of the page is the highest value, the palest the lowest; unresolved ones have no
// colour.
TEST_F(ReportParts, LayersByLevelAreColoured) {
  const std::string page = report_html(folder);
  const std::string table = page.substr(page.find("id=\"table-layer-level\""), 4000);
  const std::regex cell("heat\" style=\"--heat:([0-9.]+)\" data-value=\"([0-9.]+)\"");
  std::map<double, double> heat;
  for (std::sregex_iterator it(table.begin(), table.end(), cell), end; it != end; ++it)
    heat[std::stod((*it)[2])] = std::stod((*it)[1]);
  ASSERT_EQ(heat.size(), 6u);  // levels 2 to 7: .01 · level ± .015
  EXPECT_EQ(heat.begin()->second, 0);
  EXPECT_EQ(heat.rbegin()->second, 1);
  EXPECT_NEAR(heat.at(.04), std::log(2) / std::log(3.5), .006);
}

// Planted: |G|² at live weights is `ratio` times that at averaged ones.
TEST_F(ReportParts, BounceIsTheRatioOfLiveToAveraged) {
  const json& table = item("tables", "variance");
  int numbers = 0, bounds = 0;
  for (const json& row : table.at("rows")) {
    const json& bounce = row.back();
    if (row.at(2).at("text") == "averaged") {
      EXPECT_EQ(bounce.at("text"), "");
    } else if (!bounce.at("value").is_null()) {
      const json* averaged = nullptr;
      for (const json& other : table.at("rows"))
        if (other.at(0) == row.at(0) && other.at(1) == row.at(1) &&
            other.at(2).at("text") == "averaged")
          averaged = &other;
      ASSERT_NE(averaged, nullptr);
      EXPECT_NEAR(bounce.at("value"),
                  row.at(3).at("value").get<double>() / averaged->at(3).at("value").get<double>(),
                  1e-9);
      ++numbers;
    } else {
      ++bounds;
    }
  }
  EXPECT_GT(numbers, 0);
  EXPECT_GT(numbers + bounds, 4);
}

}  // namespace
}  // namespace assay
