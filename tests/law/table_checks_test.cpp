// Faults that only the whole table shows, planted and caught; and tables that have none.
#include "assay/law/table/checks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "law/table_fixture.h"

namespace assay {
namespace {

// 5 × 5 sizes with `seeds` replicates each, log-noise `sigma`; rows that `in_bits` names are
// converted.
std::string sweep(int seeds, double sigma, const std::vector<int>& in_bits = {}) {
  std::mt19937_64 generator(17);
  std::normal_distribution<double> normal;
  std::string out = "run,N,D,loss\n";
  int row = 0;
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 5; ++j)
      for (int seed = 0; seed < seeds; ++seed, ++row) {
        const double n = 1e5 * std::pow(10, 0.5 * i), d = 1e7 * std::pow(10, 0.5 * j);
        double loss = (1.8 + 400 / std::pow(n, 0.34) + 2000 / std::pow(d, 0.37)) *
                      std::exp(sigma * normal(generator));
        if (std::ranges::count(in_bits, row) > 0) loss /= std::numbers::ln2;
        out += fmt::format("r{},{},{},{}\n", row, n, d, loss);
      }
  return out;
}

TEST(TableChecks, ASoundSweepHasNoWarning) {
  EXPECT_TRUE(read_bytes(sweep(1, 0.005)).warnings.empty());
  EXPECT_TRUE(read_bytes(sweep(3, 0.01)).warnings.empty());
  EXPECT_TRUE(read_bytes(sweep(3, 0.05)).warnings.empty());
}

TEST(TableChecks, ExactDuplicatesAreCountedAndNamed) {
  const std::string bytes = sweep(1, 0.005);
  const size_t second = bytes.find('\n') + 1, third = bytes.find('\n', second) + 1;
  const std::string row = bytes.substr(second, third - second);
  const TableRows table = read_bytes(bytes + row + row);
  EXPECT_EQ(table.rows.size(), 27u) << "kept: it is for the reader to say what they are";
  EXPECT_EQ(table.duplicates, 2);
  ASSERT_EQ(warnings_of(table), (std::vector<std::string>{"duplicate"}));
  EXPECT_EQ(table.warnings[0].lines, (std::vector<int64_t>{27, 28}));
  EXPECT_NE(table.warnings[0].message.find("lines 27, 28"), std::string::npos);
}

TEST(TableChecks, ARunListedUnderTwoNamesIsNamed) {
  const TableRows table =
      read_bytes("run,N,D,loss\na,1e6,1e9,3.14159265\nb,2e6,1e9,2.9\nc,1e6,1e9,3.14159265\n");
  EXPECT_EQ(table.duplicates, 0);
  ASSERT_EQ(warnings_of(table), (std::vector<std::string>{"repeated_loss"}));
  EXPECT_EQ(table.warnings[0].lines, (std::vector<int64_t>{4}));
  EXPECT_TRUE(
      read_bytes("run,N,D,loss\na,1e6,1e9,3.14\nb,2e6,1e9,2.9\nc,1e6,1e9,3.14\n").warnings.empty())
      << "three digits agree by chance";
}

TEST(TableChecks, BitsAmongNatsAreRefused) {
  const Error one = refusal("run,N,D,loss\na,1e6,1e9,2.7726\nb,2e6,1e9,2.5\nc,1e6,1e9,4.0\n");
  EXPECT_EQ(one.code(), "data.mixed_units");
  EXPECT_NE(std::string(one.what()).find("line 4 are 1/ln 2 = 1.4427 times those of line 2"),
            std::string::npos)
      << one.what();
  EXPECT_NE(one.help().find("--where"), std::string::npos);
  // One row of a sweep with replicates; a third of the rows; noise as large as that of tiny models.
  EXPECT_EQ(refusal(sweep(3, 0.005, {40})).code(), "data.mixed_units");
  EXPECT_EQ(refusal(sweep(3, 0.01, {0, 4, 8, 9, 13, 30, 41, 50, 70})).code(), "data.mixed_units");
  // Where replicates are too noisy to be sure, the rows are named all the same.
  const TableRows noisy = read_bytes(sweep(2, 0.06, {17}));
  ASSERT_TRUE(warns(noisy, "replicates_differ"));
  EXPECT_NE(noisy.warnings[0].message.find("bits among nats"), std::string::npos);
  // The remedy works.
  EXPECT_NO_THROW(read_bytes("run,N,D,loss\na,1e6,1e9,2.7726\nb,2e6,1e9,2.5\nc,1e6,1e9,4.0\n",
                             with_conditions({"loss < 4"})));
  // Groups are laws of their own, possibly in units of their own.
  EXPECT_NO_THROW(read_bytes("group,N,D,loss\na,1e6,1e9,2.7726\nb,1e6,1e9,4.0\n"));
}

TEST(TableChecks, SeveralExperimentsInOneTableAreAWarning) {
  std::string bytes = "N,D,loss\n";
  for (int i = 0; i < 10; ++i)
    bytes += fmt::format("{0}e6,1e9,{1}\n{0}e6,1e9,{2}\n", i + 1, 3.0 / (i + 1),
                         3.0 / (i + 1) * (1.3 + 0.05 * i));
  const TableRows table = read_bytes(bytes);
  ASSERT_EQ(warnings_of(table), (std::vector<std::string>{"replicates_differ"}));
  EXPECT_NE(table.warnings[0].message.find("--group-column"), std::string::npos);
}

TEST(TableChecks, ConstantColumnsAreFacts) {
  const TableRows table =
      read_bytes("N,D,U,C,loss\n1e6,1e9,1e8,6e15,3\n1e6,2e9,1e8,12e15,3\n3e6,,,,nan\n");
  EXPECT_EQ(table.constant, (std::vector<std::string>{"model_size", "unique_data", "loss"}));
  EXPECT_EQ(warnings_of(table), (std::vector<std::string>{"not_finite", "constant_loss"}));
  EXPECT_TRUE(read_bytes("N,D,loss\n1e6,1e9,3\n").constant.empty()) << "one row varies by nothing";
}

TEST(TableChecks, SizesInOtherUnitsAreAWarning) {
  EXPECT_TRUE(warns(read_bytes("N,D,loss\n70,1.4e12,2\n0.4,8e9,3\n"), "small_model_size"));
  EXPECT_TRUE(warns(read_bytes("N,D,C,loss\n1e9,20,1.2e20,2\n"), "compute_differs"));
  EXPECT_TRUE(read_bytes("N,D,C,loss\n1e9,2e10,1.4e20,2\n").warnings.empty());
}

TEST(TableChecks, DescribesLines) {
  EXPECT_EQ(describe_lines({7}, 1), "line 7");
  EXPECT_EQ(describe_lines({2, 3, 5, 6, 7, 8}, 6), "lines 2, 3, 5-8");
  EXPECT_EQ(describe_lines({1, 3}, 9), "lines 1, 3 and 7 more");
}

}  // namespace
}  // namespace assay
