// Rows: numbers, conditions, status, and one clear error for each kind of bad cell.
#include "assay/law/table/table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "law/table_fixture.h"

namespace assay {
namespace {

// A table of N, D and loss whose third line has `cells`.
std::string table_with(const std::string& cells) {
  return "N,D,loss\n1e6,1e9,3.5\n" + cells + "\n";
}

TEST(Table, ReadsNumbersInEverySpelling) {
  const TableRows table = read_bytes("N,D,loss\n+1e6,1000000000,\" 3.5 \"\n1.5E+07 ,1e9,.25\n");
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0].model_size, 1e6);
  EXPECT_EQ(table.rows[0].data_size, 1e9);
  EXPECT_EQ(table.rows[0].loss, 3.5);
  EXPECT_EQ(table.rows[1].model_size, 1.5e7);
  EXPECT_EQ(table.rows[1].loss, 0.25);
  EXPECT_EQ(table.rows[1].line, 3);
  EXPECT_TRUE(std::isnan(table.rows[0].compute));
  EXPECT_TRUE(std::isnan(table.rows[0].unique_data));
  EXPECT_TRUE(table.warnings.empty());
}

TEST(Table, PointsAtEveryBadCell) {
  const auto expect = [](const std::string& cells, const std::string& place,
                         const std::string& reason, const std::string& help) {
    const Error error = refusal(table_with(cells));
    EXPECT_EQ(place_of(error), place) << cells;
    EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << error.what();
    EXPECT_NE(error.help().find(help), std::string::npos) << error.help();
  };
  expect("abc,1e9,3", "data.number 3:1 3", "not a number", "--n-column");
  expect("1e6,-1e9,3", "data.sign 3:5 4", "not above zero", "--where 'D > 0'");
  expect("0,1e9,3", "data.sign 3:1 1", "not above zero", "--where 'N > 0'");
  expect("1e6,1e9,0", "data.sign 3:9 1", "not above zero", "--where 'loss > 0'");
  expect("1e6,1e9,-2.5", "data.sign 3:9 4", "not above zero", "--where 'loss > 0'");
  expect("nan,1e9,3", "data.number 3:1 3", "not a finite number", "--n-column");
  expect("1e6,inf,3", "data.number 3:5 3", "not a finite number", "--d-column");
  expect(",1e9,3", "data.missing_value 3:1 1", "missing", "fill it in");
  expect("1e6,N/A,3", "data.missing_value 3:5 3", "missing", "fill it in");
  expect("1e6,1e9,", "data.missing_value 3:9 1", "holds no loss", "write nan if the run diverged");
  expect("1e6,1e9,null", "data.missing_value 3:9 4", "holds no loss", "--where 'loss > 0'");
  expect("1e6,\"1,000,000\",3", "data.number 3:5 11", "thousands separators", "1e6");
  expect("1e6,\"1,000\",3", "data.number 3:5 7", "comma", "decimal point");
  expect("1e6,1_000_000,3", "data.number 3:5 9", "thousands separators", "1e6");
  expect("1e6,1 000 000,3", "data.number 3:5 9", "thousands separators", "1e6");
  expect("1e6,1e9,3.5%", "data.number 3:9 4", "percentage", "0.035");
  expect("70M,1e9,3", "data.number 3:1 3", "scale", "write 70000000");
  expect("1e6,1.4 B,3", "data.number 3:5 5", "scale", "write 1400000000");
  expect("1e999,1e9,3", "data.number 3:1 5", "beyond the range", "exponent");
  expect("1e6,0x10,3", "data.number 3:5 4", "not a number", "write a number");
  expect("1e6,1e9,3.5 nats", "data.number 3:9 8", "not a number", "write a number");
}

TEST(Table, ReadsDecimalCommasBetweenSemicolons) {
  const TableRows table = read_bytes("N;D;loss\n1e6;1e9;3,5\n\"2000000\";1e9;3,25\n");
  EXPECT_EQ(table.rows[0].loss, 3.5);
  EXPECT_EQ(table.rows[1].loss, 3.25);
  EXPECT_TRUE(warns(table, "decimal_comma"));
  EXPECT_FALSE(warns(read_bytes("N;D;loss\n1e6;1e9;3.5\n"), "decimal_comma"));
  EXPECT_EQ(place_of(refusal("N;D;loss\n1e6;1e9;3,5\n1e6;1.5e9;3,25\n")),
            "data.decimal_mark 3:5 5");
  EXPECT_EQ(refusal("N;D;loss\n1.000.000;1e9;3\n").code(), "data.number");
  EXPECT_EQ(refusal("N;D;loss\n1,000,000;1e9;3\n").code(), "data.number");
  EXPECT_EQ(refusal("N\tD\tloss\n1e6\t1e9\t3,5\n").code(), "data.number");
}

TEST(Table, ALossThatIsNotFiniteIsADivergedRun) {
  const TableRows table = read_bytes(table_with("2e6,1e9,nan\n3e6,1e9,inf\n4e6,1e9,-NaN"));
  EXPECT_EQ(table.rows.size(), 4u);
  EXPECT_EQ(table.diverged, 3);
  EXPECT_EQ(table.rows[1].status, ObservationStatus::diverged);
  EXPECT_TRUE(std::isnan(table.rows[2].loss));
  EXPECT_EQ(table.rows[1].model_size, 2e6);
  ASSERT_EQ(warnings_of(table), (std::vector<std::string>{"not_finite"}));
  EXPECT_EQ(table.warnings[0].lines, (std::vector<int64_t>{3, 4, 5}));
}

TEST(Table, StatusWordsSayWhatBecameOfARun) {
  const TableRows table = read_bytes(
      "N,D,loss,Status\n1e6,1e9,3.5,completed\n2e6,1e9,nan,diverged\n3e6,,,Diverged\n"
      "4e6,1e9,3.25,timed-out\n5e6,,,failed\n6e6,1e9,9.5,diverged\n7e6,1e9,3,\n");
  EXPECT_EQ(table.rows_read, 7);
  EXPECT_EQ(table.rows.size(), 6u);
  EXPECT_EQ(table.diverged, 3);
  EXPECT_EQ(table.failed, 1);
  EXPECT_EQ(table.upper_bounds, 1);
  EXPECT_EQ(table.rows[3].status, ObservationStatus::upper_bound);
  EXPECT_EQ(table.rows[3].loss, 3.25);
  EXPECT_TRUE(std::isnan(table.rows[2].data_size)) << "a diverged row needs no sizes";
  EXPECT_EQ(table.rows[4].loss, 9.5) << "kept, never fitted";
  EXPECT_EQ(warnings_of(table), (std::vector<std::string>{"diverged", "failed"}));
  const Error unknown = refusal("N,D,loss,status\n1e6,1e9,3.5,divergd\n");
  EXPECT_EQ(place_of(unknown), "data.status 2:13 7");
  EXPECT_EQ(unknown.help(), "did you mean `diverged`?");
  const TableRows flags = read_bytes("N,D,loss,diverged\n1e6,1e9,3.5,False\n2e6,1e9,7,True\n");
  EXPECT_EQ(flags.diverged, 1);
  EXPECT_EQ(refusal("N,D,loss,status\n1e6,1e9,3.5,1\n").code(), "data.status");
}

TEST(Table, ConditionsLeaveRowsOutAndCountThem) {
  const std::string bytes =
      "Model "
      "Name,N,D,loss,seed\na,1e6,1e9,5,1\n\"b\"\"c\",2e6,1e9,4,2\na,3e6,1e9,,1.0\nd,4e6,x,3,3\n";
  const TableRows table = read_bytes(bytes, with_conditions({"loss > 3", "Model Name == a"}));
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows_read, 4);
  EXPECT_EQ(table.left_out[0].rows, 2) << "one has no loss; the bad D of line 5 does not matter";
  EXPECT_EQ(table.left_out[1].rows, 1);
  const auto kept = [&](const std::string& expression) {
    return read_bytes(bytes, with_conditions({"loss > 3", expression})).rows.size();
  };
  EXPECT_EQ(kept("loss<5"), 1u);
  EXPECT_EQ(kept("loss <= 5"), 2u);
  EXPECT_EQ(kept("loss>=5"), 1u);
  EXPECT_EQ(kept("'loss' != 5"), 1u);
  EXPECT_EQ(kept("seed == 1.0"), 1u) << "as numbers";
  EXPECT_EQ(kept("model_name != 'a'"), 1u);
  EXPECT_EQ(kept("Model Name == b\"c"), 1u);
  EXPECT_EQ(kept("Model Name != 7"), 2u) << "text differs from a number";
}

TEST(Table, ConditionsThatMakeNoSenseAreRefused) {
  const std::string bytes = "N,D,loss,task\n1e6,1e9,3,a\n";
  const auto code = [&](const std::string& expression) {
    return refusal(bytes, with_conditions({expression})).code();
  };
  for (const char* expression : {"loss", "", "loss = 4", "loss ! 4", "< 4", "loss <",
                                 "loss < 4 and N > 3", "4 < loss < 5", "task < b"})
    EXPECT_EQ(code(expression), "usage.where") << expression;
  EXPECT_EQ(code("los < 4"), "usage.unknown_column");
  EXPECT_EQ(place_of(refusal(bytes, with_conditions({"task < 4"}))), "data.number 2:11 1");
  const Error none = refusal(bytes, with_conditions({"loss < 2"}));
  EXPECT_EQ(none.code(), "data.no_rows");
  EXPECT_NE(std::string(none.what()).find("1 by `loss < 2`"), std::string::npos);
}

TEST(Table, TheSummaryAccountsForEveryRow) {
  const TableRows table = read_bytes(
      "N,tokens,loss,status,run\n1e6,1e9,3.5,ok,a\n2e6,1e9,nan,ok,b\n3e6,1e9,3,failed,c\n4e6,1e9,9,"
      "ok,d\n",
      with_conditions({"loss != 9"}));
  const nlohmann::json json = to_json(table);
  EXPECT_EQ(json["rows_read"], 4);
  EXPECT_EQ(json["rows"], 1);
  EXPECT_EQ(json["failed"], 1);
  EXPECT_EQ(json["left_out"][0]["rows"], 2) << "nan meets no comparison";
  EXPECT_EQ(json["data_unit"], "tokens");
  EXPECT_EQ(json["loss_unit"], "unknown");
  EXPECT_EQ(json["columns"][0],
            (nlohmann::json{{"role", "model_size"}, {"column", "N"}, {"scale", 1.0}}));
}

}  // namespace
}  // namespace assay
