// Records survive torn lines, cuts and full disks.
#include "assay/store/record_log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "assay/core/error.h"
#include "assay/store/files.h"
#include "temporary_folder.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(RecordLog, AppendsWholeLinesAndCountsBytes) {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "records.jsonl";
  RecordLog log(path, std::nullopt);
  EXPECT_EQ(log.bytes(), 0);
  log.append({{"step", 1}});
  log.append({{"text", "a\nb"}, {"bad", "\xff"}});
  log.sync();
  EXPECT_EQ(log.bytes(), static_cast<int64_t>(fs::file_size(path)));
  const Records records = read_records(path);
  EXPECT_FALSE(records.torn);
  ASSERT_EQ(records.lines.size(), 2U);
  EXPECT_EQ(records.lines[1]["text"], "a\nb");
}

TEST(RecordLog, MissingFileReadsAsNothing) {
  const Records records = read_records("/nowhere/records.jsonl");
  EXPECT_TRUE(records.lines.empty());
  EXPECT_FALSE(records.torn);
}

TEST(RecordLog, TornLastLineIsLeftOutReportedAndCutOnReopening) {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "records.jsonl";
  const std::vector<std::string> tails{"{\"step\":2", "{\"step\":2}", std::string("\0\0\n", 3)};
  for (const std::string& tail : tails) {
    write_text(path, "{\"step\":1}\n" + tail);
    const Records records = read_records(path);
    EXPECT_TRUE(records.torn);
    ASSERT_EQ(records.lines.size(), 1U);
  }
  write_text(path, "{\"step\":1}\n{\"step\":2");
  RecordLog log(path, std::nullopt);
  EXPECT_EQ(log.bytes(), 11);
  log.append({{"step", 3}});
  EXPECT_EQ(read_file(path), "{\"step\":1}\n{\"step\":3}\n");
}

TEST(RecordLog, BrokenLineInTheMiddleIsCorrupt) {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "records.jsonl";
  write_text(path, "{\"step\":1}\n{\"st\n{\"step\":3}\n");
  try {
    read_records(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "store.corrupt");
    EXPECT_NE(std::string(error.what()).find("line 2"), std::string::npos);
  }
}

TEST(RecordLog, IsCutBackToTheCheckpointsLength) {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "records.jsonl";
  write_text(path, "{\"step\":1}\n{\"step\":2}\n");
  { const RecordLog log(path, 11); }
  EXPECT_EQ(read_file(path), "{\"step\":1}\n");
  EXPECT_THROW(RecordLog(path, 12), Error) << "shorter than the checkpoint counts on";
  { const RecordLog log(path, 0); }
  EXPECT_EQ(fs::file_size(path), 0U);
}

TEST(RecordLog, FullDiskLeavesWholeLines) {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "records.jsonl";
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{50, 50};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int written = 0;
    try {
      RecordLog log(path, std::nullopt);
      for (; written < 100; ++written) log.append({{"step", written}});
    } catch (const Error& error) {
      ::_exit(error.code() == "environment.disk_full" ? written : 99);
    }
    ::_exit(98);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 4) << "four lines of eleven bytes fit into fifty";
  const Records records = read_records(path);
  EXPECT_FALSE(records.torn);
  EXPECT_EQ(records.lines.size(), 4U);
}

}  // namespace
}  // namespace assay
