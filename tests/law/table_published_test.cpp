// Published tables read as they are; a million rows, timed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <set>

#include "law/table_fixture.h"

namespace assay {
namespace {

class PublishedTable : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(laws)) GTEST_SKIP() << "no ../shared/data/laws here";
  }
  const std::filesystem::path laws = ASSAY_SOURCE_DIR "/../shared/data/laws";
};

TEST_F(PublishedTable, EpochChinchilla) {
  const TableRows table = read_table(laws / "epoch-chinchilla/svg_extracted_data.csv");
  EXPECT_EQ(table.rows.size(), 245u);
  EXPECT_TRUE(table.data_from_compute);
  EXPECT_TRUE(table.warnings.empty());
  EXPECT_EQ(table.rows[0].model_size, 6795600349.289497);
  EXPECT_EQ(table.rows[0].data_size, 9.993852799709755e+18 / (6 * 6795600349.289497));
  EXPECT_EQ(table.rows[0].loss, 5.005581996196243);
  EXPECT_EQ(table.unused_columns, (std::vector<std::string>{"x", "y", "color", "hex_color"}));
}

TEST_F(PublishedTable, Datablations) {
  const TableRows table = read_table(laws / "datablations/c4_val_losses_N_D_U.csv");
  EXPECT_EQ(table.rows.size(), 226u);
  EXPECT_TRUE(table.warnings.empty());
  EXPECT_EQ(table.rows[0].unique_data, 4e9);
  EXPECT_EQ(table.rows[0].run, "2b84b4b");
  EXPECT_EQ(table.data_unit, "tokens");
}

TEST_F(PublishedTable, AlabdulmohsinBenchmark) {
  const TableOptions options = with_column(ColumnRole::group, {"Domain", "Task", "Model"});
  const auto curves = [](const TableRows& table) {
    std::set<std::string> groups;
    for (const Observation& row : table.rows) groups.insert(row.group);
    return groups.size();
  };
  const TableRows vision =
      read_table(laws / "alabdulmohsin-benchmark/benchmark.vision.csv", options);
  EXPECT_EQ(vision.rows.size(), 18883u);
  EXPECT_EQ(curves(vision), 72u);
  EXPECT_TRUE(vision.warnings.empty());
  const TableRows language =
      read_table(laws / "alabdulmohsin-benchmark/benchmark.lang.csv", options);
  EXPECT_EQ(language.rows.size(), 1399u);
  EXPECT_EQ(curves(language), 20u);
  EXPECT_EQ(language.duplicates, 687) << "the published file repeats five of its curves";
  EXPECT_EQ(warnings_of(language), (std::vector<std::string>{"duplicate"}));
}

TEST_F(PublishedTable, TablesWithoutLossOrSizesAreRefusedByName) {
  const auto code = [&](const char* path) {
    try {
      read_table(laws / path);
    } catch (const Error& error) {
      return error.code();
    }
    return std::string("accepted");
  };
  EXPECT_EQ(code("datablations/seed_replicates.csv"), "usage.missing_column");
  EXPECT_EQ(code("epiplexity-openai-chinchilla/openai+chinchilla.csv"), "usage.missing_column");
}

TEST(TableSpeed, AMillionRows) {
  const TemporaryFolder folder;
  std::mt19937_64 generator(5);
  std::uniform_real_distribution<double> uniform;
  std::string bytes = "run,note,Model Size,tokens,val_loss,lr,status\n";
  for (int row = 0; row < 1000000; ++row)
    bytes += fmt::format("run-{:08},\"some, text {}\",{},{},{},0.001,completed\n", row / 20, row,
                         1e5 * (1 + 1e4 * uniform(generator)), 1e7 * (1 + 1e4 * uniform(generator)),
                         2 + uniform(generator));
  const std::filesystem::path path = write_table(folder, bytes);
  const auto start = std::chrono::steady_clock::now();
  const TableRows table = read_table(path);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_EQ(table.rows.size(), 1000000u);
  EXPECT_EQ(table.rows.back().run, "run-00049999");
  EXPECT_EQ(table.rows.back().line, 1000001);
  fmt::print("a million rows, {} MB: {:.2f} s\n", bytes.size() / 1000000, seconds);
}

}  // namespace
}  // namespace assay
