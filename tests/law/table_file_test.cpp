// The file behind a table: quotes, line ends, separators, and what is no table at all.
#include "assay/law/table/file.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "law/table_fixture.h"

namespace assay {
namespace {

struct ReadCells {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::vector<int64_t> lines;
};

ReadCells cells_of(const std::string& bytes) {
  const TemporaryFolder folder;
  const TableFile file(write_table(folder, bytes));
  ReadCells out{file.header(), {}, {}};
  file.for_each_row([&](const TableRow& row) {
    out.rows.emplace_back(row.cells.begin(), row.cells.end());
    out.lines.push_back(row.line);
  });
  return out;
}

using Rows = std::vector<std::vector<std::string>>;
using Lines = std::vector<int64_t>;

TEST(TableFile, ReadsQuotedCellsAsRfc4180Says) {
  const ReadCells read =
      cells_of("a,\"b, c\",\"d \"\"e\"\"\"\n1,\"two\nlines\",\"\"\n  3 ,\"  4  \",5\n");
  EXPECT_EQ(read.header, (std::vector<std::string>{"a", "b, c", "d \"e\""}));
  EXPECT_EQ(read.rows, (Rows{{"1", "two\nlines", ""}, {"3", "  4  ", "5"}}));
  EXPECT_EQ(read.lines, (Lines{2, 4}));
}

TEST(TableFile, ReadsEveryLineEndByteOrderMarkAndBlankLine) {
  const Rows rows{{"1", "2"}, {"3", "4"}};
  EXPECT_EQ(cells_of("a,b\n1,2\n3,4").rows, rows);
  EXPECT_EQ(cells_of("a,b\n1,2\n3,4\n\n \n").rows, rows);
  EXPECT_EQ(cells_of("a,b\r\n1,2\r\n\r\n3,4\r\n").rows, rows);
  EXPECT_EQ(cells_of("a,b\r1,2\r3,4\r").rows, rows);
  EXPECT_EQ(cells_of("\xEF\xBB\xBF"
                     "a,b\n1,2\n3,4\n")
                .header.front(),
            "a");
  EXPECT_EQ(cells_of("a,b\n1,2\n,\n3,4\n,,\n").rows, rows) << "rows of separators alone";
  EXPECT_EQ(cells_of("a,b,\n1,2,\n3,4,\n").rows, (Rows{{"1", "2", ""}, {"3", "4", ""}}));
  EXPECT_EQ(cells_of("a,b\n1,2,,\n3,4,\n").rows, rows) << "empty cells behind the last column";
  EXPECT_EQ(cells_of("\n\na,b\r\n\r\n1,2\r\n\n3,4").lines, (Lines{5, 7}));
  EXPECT_EQ(cells_of("a,b\r1,2\r\r3,4\r").lines, (Lines{2, 4}));
}

TEST(TableFile, FindsTheSeparatorInTheHeader) {
  const Rows rows{{"1", "2", "3"}};
  EXPECT_EQ(cells_of("a;b;c, d\n1;2;3\n").rows, rows);
  EXPECT_EQ(cells_of("a\tb\tc; d\n1\t2\t3\n").rows, rows);
  EXPECT_EQ(cells_of("a,b,\"c;;;;\"\n1,2,3\n").rows, rows);
  EXPECT_EQ(cells_of("loss\n1\n").rows, (Rows{{"1"}}));
}

TEST(TableFile, PointsAtAStrayQuote) {
  EXPECT_EQ(place_of(refusal("N,loss\n1,2\n1,6\" disk\n")), "data.quote 3:4 1");
  EXPECT_EQ(place_of(refusal("N,loss\n1,\"2\"x\n")), "data.quote 2:6 1");
  EXPECT_EQ(place_of(refusal("N,note,loss\n1,\"é,2\n3,a,4\n")), "data.quote 2:3 1");
  EXPECT_EQ(place_of(refusal("N\"x,loss\n1,2\n")), "data.quote 1:2 1");
  EXPECT_EQ(refusal("\"N,loss\n1,2\n").code(), "data.empty");
}

TEST(TableFile, PointsAtRowsWithTooManyOrTooFewCells) {
  const Error more = refusal("N,D,loss\n1,2,3\n1,2,3,4,5\n");
  EXPECT_EQ(place_of(more), "data.cells 3:7 1");
  EXPECT_NE(more.help().find("quotes"), std::string::npos);
  EXPECT_EQ(place_of(refusal("N,D,loss\n1,2,3\n1,22\n")), "data.cells 3:3 2");
}

TEST(TableFile, CountsColumnsInCharactersAndLinesWithinCells) {
  const Error error = refusal("N,note,loss\n1,\"é\n日本, x\", abc \n");
  EXPECT_EQ(place_of(error), "data.number 3:9 3");
  EXPECT_NE(render(error).find("table.csv:3:9"), std::string::npos);
  EXPECT_NE(render(error).find("日本, x\", abc"), std::string::npos);
}

TEST(TableFile, RefusesWhatIsNoTable) {
  EXPECT_EQ(refusal("").code(), "data.empty");
  EXPECT_EQ(refusal("\n  \r\n").code(), "data.empty");
  EXPECT_EQ(refusal("N,D,loss\n").code(), "data.no_rows");
  EXPECT_EQ(refusal(std::string("N,loss\n1,\0002\n", 12)).code(), "data.binary");
  EXPECT_EQ(place_of(refusal("1e6,1e9,3.2\n1e7,1e9,2.9\n")), "data.header 1:1 3");
  for (const char* magic : {"PK\x03\x04rest", "\x1F\x8B\x08rest", "PAR1rest", "\xFF\xFEN,l"}) {
    const Error error = refusal(magic);
    EXPECT_EQ(error.code(), "data.binary");
    EXPECT_FALSE(error.help().empty());
  }
}

TEST(TableFile, RefusesMissingFilesAndFolders) {
  const TemporaryFolder folder;
  write_table(folder, "N,loss\n1,2\n");
  const auto code_of = [](const std::filesystem::path& path) {
    try {
      read_table(path);
    } catch (const Error& error) {
      return error.code() + " " + error.help();
    }
    return std::string("accepted");
  };
  EXPECT_EQ(code_of(folder.path / "tabel.csv"), "data.missing_file did you mean `table.csv`?");
  EXPECT_EQ(code_of(folder.path / "x" / "y.csv").substr(0, 17), "data.missing_file");
  EXPECT_EQ(code_of(folder.path).substr(0, 11), "data.folder");
}

TEST(TableFile, ShowsForeignBytesSafely) {
  const Error error = refusal("N,loss\n1,\xFF\xC3\x1B[31m\xF0\x9F\x98\x80\n");
  EXPECT_EQ(place_of(error).substr(0, 15), "data.number 2:3");
  EXPECT_EQ(std::string(error.what()).find('\x1B'), std::string::npos);
  EXPECT_NO_THROW(to_json(error).dump());
  const std::string shown = in_backticks(std::string(300, 'a'));
  EXPECT_EQ(shown, "`" + std::string(40, 'a') + "…`");
  EXPECT_NO_THROW(to_json(refusal("N,\xE9t\xE9\n1,2\n")).dump());
}

// Whatever the bytes, a table or an Error comes out: 20,000 mutations of a sound table and of
// noise.
TEST(TableFile, RandomBytesNeverCrash) {
  const std::string sound =
      "run,N,D,\"val loss\",status\nr1,1e6,1e9,3.25,ok\n\"r \"\"2\"\"\",2e6,1e9,nan,diverged\n";
  const std::string alphabet =
      std::string("0123456789.,;\"\t\r\n -+eEnaif%_'\xFF\xC3\xA9\xEF\xBB\xBF") + '\0';
  std::mt19937_64 generator(20240607);
  const auto below = [&](size_t n) { return static_cast<size_t>(generator() % n); };
  const TemporaryFolder folder;
  int accepted = 0, refused = 0;
  for (int trial = 0; trial < 1500; ++trial) {
    std::string bytes = trial % 4 == 0 ? std::string() : sound;
    if (bytes.empty())
      for (size_t size = below(80); bytes.size() < size;) bytes += static_cast<char>(below(256));
    for (size_t change = below(8); change > 0 && !bytes.empty(); --change) {
      const size_t at = below(bytes.size());
      if (const size_t kind = below(3); kind == 0)
        bytes[at] = alphabet[below(alphabet.size())];
      else if (kind == 1)
        bytes.insert(at, 1, alphabet[below(alphabet.size())]);
      else
        bytes.erase(at, 1 + below(5));
    }
    try {
      const TableRows table = read_table(write_table(folder, bytes), with_conditions({"N > 0"}));
      for (const Observation& row : table.rows)
        EXPECT_TRUE(row.status == ObservationStatus::diverged ||
                    (row.loss > 0 && row.model_size > 0));
      ++accepted;
    } catch (const Error& error) {
      EXPECT_FALSE(std::string(error.what()).empty());
      render(error);
      to_json(error).dump();
      ++refused;
    }
  }
  EXPECT_GT(accepted, 75);
  EXPECT_GT(refused, 375);
}

}  // namespace
}  // namespace assay
